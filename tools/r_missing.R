# Print "package needed-version required|suggested" for each R package that a DESCRIPTION file asks for and this R lacks.
#   Rscript --vanilla r_missing.R DESCRIPTION...
# The first file's Imports and LinkingTo are required; whatever else is named is suggested.
base <- rownames(installed.packages(priority = "base"))

asked <- function(file, field) {
  text <- read.dcf(file, fields = field)[1]
  if (is.na(text)) return(NULL)
  entries <- trimws(strsplit(text, ",")[[1]])
  entries <- entries[nzchar(entries)]
  name <- trimws(sub("\\(.*", "", entries))
  version <- ifelse(grepl(">=", entries), gsub("[^0-9.-]", "", sub(".*\\(", "", entries)), "0")
  data.frame(name, version)
}

# Installed, new enough, and its files complete enough to load?
here <- function(name, version) {
  path <- find.package(name, quiet = TRUE)
  length(path) > 0 && packageVersion(name) >= version && requireNamespace(name, quietly = TRUE)
}

files <- commandArgs(TRUE)
packages <- NULL
for (file in files) {
  for (field in c("Depends", "Imports", "LinkingTo", "Suggests")) {
    found <- asked(file, field)
    if (is.null(found)) next
    found$need <- if (file == files[1] && field != "Suggests") "required" else "suggested"
    packages <- rbind(packages, found)
  }
}
packages <- packages[!duplicated(packages$name) & !packages$name %in% c("R", "imagesasdata", base), ]
for (i in seq_len(nrow(packages))) {
  p <- packages[i, ]
  if (!suppressWarnings(suppressMessages(here(p$name, p$version)))) cat(p$name, p$version, p$need, "\n")
}
