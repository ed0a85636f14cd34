# The Python package: found when the first verb is called, checked, and kept for the session.

python_package <- "imagesasdata"

# What is kept for the session: `module`, and Python's `int`, which turns an address in text into a number.
the <- new.env(parent = emptyenv())

# Python and R packages of the same series, such as 0.1.x, have the same verbs.
series <- function(version) {
  sub("^(\\d+\\.\\d+).*$", "\\1", as.character(version))
}

# The Python package is not on the Python Package Index yet, where anybody could take its name, so it is never asked for
# there. On the day it is, this becomes TRUE.
on_pypi <- FALSE

# What to install, as pip and uv understand it; NULL where nobody has said.
python_source <- function() {
  released <- paste0(python_package, "==", series(utils::packageVersion("imagesasdata")), ".*")
  getOption("imagesasdata.source", if (on_pypi) released)
}

python_module <- function(call = rlang::caller_env()) {
  if (is.null(the$module)) {
    module <- import_package(call)
    check_version(reticulate::py_to_r(module$`__version__`), call)
    the$int <- reticulate::import_builtins(convert = FALSE)$int
    the$module <- module
  }
  the$module
}

# A module of the package that is no verb.
python_part <- function(name) {
  reticulate::import(paste0(python_package, ".", name), convert = FALSE)
}

ways_to_install <- c(
  i = "`install_imagesasdata(source = )` makes a Python environment for it. Restart R afterwards.",
  i = "If a Python has it already: Sys.setenv(RETICULATE_PYTHON = \"/path/to/python\") in a fresh session.",
  i = "`iad_doctor()` says what is there and what is missing."
)

# Starts Python where it is not running yet.
import_package <- function(call) {
  # Finding no Python, reticulate tries to download one. It prints why that failed, and goes on to its own error.
  printed <- tempfile()
  on.exit(unlink(printed))
  tryCatch(
    rlang::with_options(
      suppressWarnings(reticulate::import(python_package, convert = FALSE)),
      try.outFile = printed
    ),
    error = function(cnd) {
      if (!inherits(cnd, "python.builtin.BaseException")) {
        abort_python_missing(cnd, printed, call)
      }
      if (!identical(reticulate::py_str(cnd), sprintf("No module named '%s'", python_package))) {
        abort_as_in_python(cnd, call) # the package is there, and something that it needs is not
      }
      abort_package_missing(call)
    }
  )
}

abort_package_missing <- function(call) {
  python <- reticulate::py_config()$python
  text <- sprintf("This session's Python (%s) has no package \"%s\".", python, python_package)
  abort("package_missing", c(text, ways_to_install), call)
}

abort_python_missing <- function(cnd, printed, call) {
  reasons <- c(conditionMessage(cnd), if (file.exists(printed)) readLines(printed, warn = FALSE))
  reasons <- trimws(grep("\\S", unlist(strsplit(reasons, "\n")), value = TRUE))
  names(reasons) <- rep("x", length(reasons))
  text <- "This needs Python 3.11 or newer, and reticulate found none."
  abort("python_missing", c(text, reasons, ways_to_install), call)
}

check_version <- function(version, call) {
  own <- utils::packageVersion("imagesasdata")
  if (series(version) != series(own)) {
    text <- sprintf(
      "The Python package is version %s and the R package is %s; they must agree in the first two numbers.",
      version, own
    )
    cure <- c(i = "`install_imagesasdata(source = )` installs the matching Python package.")
    abort("version_mismatch", c(text, cure), call)
  }
}

# For the examples: TRUE only where somebody has chosen a Python, which then starts; never a download.
python_ready <- function() {
  if (!is.null(the$module)) {
    return(TRUE)
  }
  chosen <- Sys.getenv("RETICULATE_PYTHON")
  if (!reticulate::py_available() && !file.exists(chosen) && !reticulate::virtualenv_exists("r-imagesasdata")) {
    return(FALSE)
  }
  !inherits(tryCatch(python_module(), error = identity), "error")
}
