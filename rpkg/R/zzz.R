# What happens at load: Python is told what this package would need, and is not started.

.onLoad <- function(libname, pkgname) {
  # Makes reticulate look for an environment called "r-imagesasdata", where nobody has chosen another.
  reticulate::import(python_package, convert = FALSE, delay_load = TRUE)
  # A running Python is left alone: requirements added now would be resolved, over the network, at once.
  source <- python_source()
  if (!is.null(source) && !reticulate::py_available()) {
    reticulate::py_require(as_requirement(source), python_version = ">=3.11")
  }
}
