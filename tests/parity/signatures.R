# Write the names and defaults of each verb's arguments as JSON:  Rscript signatures.R answer.json verb...
arguments <- commandArgs(TRUE)
signature <- function(verb) {
  defaults <- formals(getExportedValue("imagesasdata", verb))
  lapply(defaults, function(default) if (identical(default, quote(expr = ))) "<required>" else deparse1(default))
}
verbs <- arguments[-1]
writeLines(jsonlite::toJSON(sapply(verbs, signature, simplify = FALSE), auto_unbox = TRUE), arguments[1])
