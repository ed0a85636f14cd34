# Rows to R: how long a prediction table takes from Python to an R data.frame, by Arrow as this package does it, and by
# reticulate's own conversion of the same rows as a pandas data frame. The same process, the same rows, alternating.
#
# benchmarks/to_r.sh prepares the peer and starts this.

arguments <- commandArgs(TRUE)
rows <- if (length(arguments) > 0) as.integer(arguments[1]) else 1000000L
repetitions <- if (length(arguments) > 1) as.integer(arguments[2]) else 5L

library(imagesasdata)
library(reticulate)

py_run_string(sprintf("
import numpy as np, pyarrow as pa
from imagesasdata.tables import factor_type, to_pandas
rng = np.random.default_rng(1)
rows, classes = %d, ['no protest', 'protest']
codes = pa.array(rng.integers(0, 2, rows), pa.int16())
table = pa.table({
    'image': pa.array([f'photographs/{i:07d}.jpg' for i in range(rows)]),
    'label': pa.DictionaryArray.from_arrays(codes, pa.array(classes)),
    'prob': pa.array(rng.random(rows)),
})
frame = to_pandas(table)
", rows))
main <- import_main(convert = FALSE)
invisible(imagesasdata:::python_module())

ways <- list(
  "imagesasdata (Arrow C stream)" = function() imagesasdata:::table_to_r(main$table),
  "reticulate (pandas)" = function() py_to_r(main$frame)
)
results <- lapply(ways, function(way) way())
ours <- results[[1]]
theirs <- results[[2]]
# Text may be a view of Arrow's memory until it is read, so the clock includes reading every value.
touch <- function(data) sum(nchar(data$image), as.integer(data$label), data$prob)
stopifnot(
  nrow(ours) == rows, is.character(ours$image), is.factor(ours$label), is.double(ours$prob),
  identical(ours$image, as.character(theirs$image)),
  identical(as.character(ours$label), as.character(theirs$label)),
  identical(as.numeric(ours$prob), as.numeric(theirs$prob))
)
rm(results, ours, theirs)

seconds <- sapply(ways, function(way) numeric(repetitions))
read <- seconds
for (i in seq_len(repetitions)) {
  for (name in names(ways)) {
    invisible(gc())
    seconds[i, name] <- system.time(data <- ways[[name]]())[["elapsed"]]
    read[i, name] <- system.time(touch(data))[["elapsed"]]
  }
}

cat(sprintf(
  "%s rows of (text, factor, double) from Python to an R data.frame; median of %d\nR %s, reticulate %s, nanoarrow %s, pandas %s\n\n",
  format(rows, big.mark = ","), repetitions, getRversion(), packageVersion("reticulate"), packageVersion("nanoarrow"),
  py_to_r(import("pandas", convert = FALSE)$`__version__`)
))
medians <- apply(seconds, 2, median)
reading <- apply(read, 2, median)
cat(sprintf("%-32s %12s %22s %10s\n", "", "seconds", "then reading all of it", "ratio"))
for (name in names(ways)) {
  cat(sprintf("%-32s %12.2f %22.2f %10.1f\n", name, medians[[name]], reading[[name]], medians[[name]] / medians[[1]]))
}
