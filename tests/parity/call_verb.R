# Call a verb in R and write its table as JSON with all digits:  Rscript call_verb.R call.json answer.json
files <- commandArgs(TRUE)
call <- jsonlite::fromJSON(files[1], simplifyVector = FALSE)
text <- function(value) if (is.null(value)) NA_character_ else value
arguments <- call$arguments
if (is.list(arguments$images)) arguments$images <- vapply(arguments$images, text, "")
if (!is.null(call$frame)) {
  arguments$images <- as.data.frame(lapply(call$frame, function(column) vapply(column, text, "")))
}
verb <- getExportedValue("imagesasdata", call$verb)
table <- do.call(verb, arguments)
answer <- list(
  columns = lapply(table, function(column) if (is.factor(column)) as.character(column) else column),
  levels = lapply(Filter(is.factor, table), levels),
  classes = lapply(table, function(column) class(column)[1]),
  rows = nrow(table),
  provenance = attr(table, "imagesasdata")
)
json <- jsonlite::toJSON(answer, digits = NA, na = "null", auto_unbox = FALSE, null = "null")
writeLines(enc2utf8(json), files[2], useBytes = TRUE)
