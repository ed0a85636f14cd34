# What happens at load: Python is told what this package would need, and is not started.

.onLoad <- function(libname, pkgname) {
  # A running Python is left alone: it would import the package at once, and resolve requirements over the network. Of a
  # reticulate that is too old the first verb speaks.
  if (reticulate::py_available() || utils::packageVersion("reticulate") < reticulate_needed) {
    return(invisible())
  }
  # Makes reticulate look for an environment called "r-imagesasdata", where nobody has chosen another.
  reticulate::import(python_package, convert = FALSE, delay_load = TRUE)
  source <- python_source()
  if (!is.null(source)) {
    reticulate::py_require(as_requirement(source), python_version = paste0(">=", python_needed))
  }
}
