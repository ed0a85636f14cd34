# Run verbs of regressions on one table and write what they found as JSON:  Rscript regress.R posts.csv cases.json answer.json
files <- commandArgs(TRUE)
library(imagesasdata)
posts <- read.csv(files[1])
cases <- jsonlite::fromJSON(files[2], simplifyVector = FALSE)

run <- function(case) {
  arguments <- case$arguments
  if (!is.null(arguments$formula)) arguments$formula <- as.formula(arguments$formula)
  arguments$predicted <- lapply(arguments$predicted, unlist)
  found <- do.call(case$verb, c(arguments, list(data = posts)))
  if (!is.null(case$power)) found <- do.call(power_regress, c(list(found), lapply(case$power, unlist)))
  tables <- Filter(is.data.frame, unclass(found))
  list(tables = lapply(tables, as.list), facts = found$facts, notes = found$notes, printed = format(found))
}

answer <- lapply(cases, function(case) suppressWarnings(run(case)))
json <- jsonlite::toJSON(answer, digits = NA, na = "null", null = "null")
writeLines(enc2utf8(json), files[3], useBytes = TRUE)
