# What calling from R costs: classify_images() from R against the same call in the same Python, on the same photographs, in
# turn. Nothing comes from the cache.
#
# benchmarks/from_r.sh makes the photographs and starts this.

arguments <- commandArgs(TRUE)
photographs <- readLines(arguments[1])
repetitions <- as.integer(arguments[2])

library(imagesasdata)
invisible(imagesasdata:::python_module())
reticulate::py_run_string("
import time
import imagesasdata as iad
def from_python(paths):
    begun = time.perf_counter()
    table = iad.classify_images(paths, progress=False, cache=False, device='cpu')
    return time.perf_counter() - begun, list(table['label'].astype(str)), table['prob'].tolist()
")

from_r <- function(progress) {
  seconds <- system.time(
    table <- classify_images(photographs, progress = progress, cache = FALSE, device = "cpu")
  )[["elapsed"]]
  list(seconds, as.character(table$label), table$prob)
}
ways <- list(
  "Python" = function() reticulate::py$from_python(photographs),
  "R" = function() from_r(FALSE),
  "R, with a progress function" = function() from_r(function(done, total, text) NULL)
)

first <- lapply(ways, function(way) way()) # warm-up, and the same results
stopifnot(
  identical(first[["Python"]][[2]], first[["R"]][[2]]),
  isTRUE(all.equal(first[["Python"]][[3]], first[["R"]][[3]], tolerance = 1e-6))
)
seconds <- sapply(ways, function(way) numeric(repetitions))
for (i in seq_len(repetitions)) {
  for (name in names(ways)) seconds[i, name] <- ways[[name]]()[[1]]
}

cat(sprintf(
  "classify_images() on %s photographs of 640 x 560, nothing cached; median of %d, in turn\nR %s, reticulate %s\n\n",
  format(length(photographs), big.mark = ","), repetitions, getRversion(), packageVersion("reticulate")
))
medians <- apply(seconds, 2, median)
ratios <- apply(seconds / seconds[, "Python"], 2, median)
cat(sprintf("%-32s %10s %8s\n", "", "seconds", "ratio"))
for (name in names(ways)) cat(sprintf("%-32s %10.2f %8.3f\n", name, medians[[name]], ratios[[name]]))
