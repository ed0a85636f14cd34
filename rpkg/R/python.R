# The Python package: found when the first verb is called, checked, and kept for the session.

python_package <- "imagesasdata"
own_environment <- "r-imagesasdata"
python_needed <- "3.11"
reticulate_needed <- "1.41" # the first that makes environments itself

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
    check_reticulate(call = call)
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

# The Python that runs, or that reticulate would start; NULL where it would first have to make an environment. Nothing
# is started or downloaded.
python_found <- function(printed = nullfile()) {
  rlang::local_options(try.outFile = printed)
  if (reticulate::py_available()) reticulate::py_config() else reticulate::py_discover_config(python_package)
}

# Starts Python where it is not running yet. A Python without the package is not started, because R cannot change it
# afterwards for another.
import_package <- function(call) {
  # What reticulate tries in vain, it prints before it goes on to its own error.
  printed <- tempfile()
  on.exit(unlink(printed))
  rlang::local_options(try.outFile = printed)
  running <- reticulate::py_available()
  failed <- function(cnd) {
    if (!inherits(cnd, "python.builtin.BaseException")) {
      abort_python_missing(c(conditionMessage(cnd), if (file.exists(printed)) readLines(printed, warn = FALSE)), call)
    }
    if (!identical(reticulate::py_str(cnd), sprintf("No module named '%s'", python_package))) {
      abort_as_in_python(cnd, call) # the package is there, and something that it needs is not
    }
    abort_package_missing(reticulate::py_config(), running, call)
  }
  if (!running) {
    check_found(tryCatch(suppressWarnings(python_found(printed)), error = failed), call)
  }
  tryCatch(suppressWarnings(reticulate::import(python_package, convert = FALSE)), error = failed)
}

check_found <- function(config, call) {
  if (is.null(config)) {
    check_source_exists(python_source(), call)
    # somebody may have named the package to reticulate without the option
    if (is.null(python_source()) && length(setdiff(reticulate::py_require()$packages, "numpy")) == 0) {
      abort_nothing_chosen(call)
    }
  } else if (numeric_version(config$version) < python_needed) {
    abort_python_old(config, call)
  } else if (is.null(config$required_module_path) && !identical(config$forced, "the current process")) {
    abort_package_missing(config, running = FALSE, call)
  }
}

abort_nothing_chosen <- function(call) {
  found <- sprintf(
    "RETICULATE_PYTHON is not set, there is no environment \"%s\", and `imagesasdata.source` is not set.",
    own_environment
  )
  abort_with_cure(
    "python_missing",
    sprintf("There is no Python with the package \"%s\" yet.", python_package),
    found,
    paste0("`", install_command(), "`"),
    call
  )
}

abort_python_missing <- function(reasons, call) {
  reasons <- trimws(grep("\\S", unlist(strsplit(reasons, "\n")), value = TRUE))
  abort_with_cure("python_missing", "Python cannot be started.", reasons, paste0("`", use_command(), "`"), call)
}

abort_python_old <- function(config, call) {
  problem <- sprintf("Python %s or newer is needed.", python_needed)
  abort_with_cure("python_missing", problem, python_words(config), paste0("`", use_command(), "`"), call)
}

abort_package_missing <- function(config, running, call) {
  if (running) {
    problem <- "Another Python was started first in this session, and it has no package \"%s\"."
    cure <- sprintf("Restart R and begin with `%s`", use_command())
  } else {
    problem <- "The Python that R has been told to use has no package \"%s\"."
    cure <- sprintf("`%s`", if (is_own(config)) install_command() else use_command())
  }
  class <- c(if (running) "other_python", "package_missing")
  abort_with_cure(class, sprintf(problem, python_package), python_words(config), cure, call)
}

check_version <- function(version, call) {
  own <- utils::packageVersion("imagesasdata")
  if (series(version) != series(own)) {
    problem <- sprintf(
      "The Python package is version %s and the R package is %s; they must agree in the first two numbers.",
      version,
      own
    )
    config <- reticulate::py_config()
    abort_with_cure("version_mismatch", problem, python_words(config), update_words(config), call)
  }
}

check_reticulate <- function(version = utils::packageVersion("reticulate"), call) {
  if (version < reticulate_needed) {
    problem <- sprintf("The R package reticulate %s or newer is needed.", reticulate_needed)
    found <- sprintf("reticulate %s is installed.", version)
    abort_with_cure("reticulate_old", problem, found, "`install.packages(\"reticulate\")`, then restart R", call)
  }
}

# Which Python, and why that one.
python_words <- function(config) {
  sprintf("Python %s at %s, chosen by %s.", full_version(config), config$python, chosen_by(config))
}

full_version <- function(config) {
  sub(" .*", "", config$version_string)
}

chosen_by <- function(config) {
  why <- if (is.null(config$forced)) "" else config$forced
  if (isTRUE(config$ephemeral)) {
    return("reticulate, which made it (managed)")
  }
  if (why == "" || grepl("^import\\(", why)) {
    return(sprintf("its name, \"%s\"", environment_name(config)))
  }
  sub(" function$", "", why)
}

environment_name <- function(config) {
  basename(dirname(dirname(config$python)))
}

is_own <- function(config) {
  identical(environment_name(config), own_environment)
}

install_command <- function() {
  source <- if (is.null(python_source())) "source = \"path/to/imagesasdata\"" else ""
  sprintf("install_imagesasdata(%s)", source)
}

# Takes precedence over every other choice of a Python.
use_command <- function() {
  python <- if (reticulate::virtualenv_exists(own_environment)) {
    encodeString(reticulate::virtualenv_python(own_environment), quote = "\"")
  } else {
    install_command()
  }
  sprintf("Sys.setenv(RETICULATE_PYTHON = %s)", python)
}

update_words <- function(config) {
  source <- if (is.null(python_source())) "path/to/imagesasdata" else python_source()
  if (isTRUE(config$ephemeral)) {
    return("Restart R and begin with `options(imagesasdata.source = \"path/to/imagesasdata\")`, the matching version")
  }
  if (is_own(config)) {
    return(sprintf("`%s`, then restart R", install_command()))
  }
  pip <- sprintf("%s -m pip install --upgrade %s", shQuote(config$python), shQuote(as_requirement(source)))
  sprintf("In a terminal `%s`, then restart R", pip)
}

# For the examples: TRUE only where somebody has chosen a Python, which then starts; never a download.
python_ready <- function() {
  if (!is.null(the$module)) {
    return(TRUE)
  }
  chosen <- Sys.getenv("RETICULATE_PYTHON")
  if (!reticulate::py_available() && !file.exists(chosen) && !reticulate::virtualenv_exists(own_environment)) {
    return(FALSE)
  }
  !inherits(tryCatch(python_module(), error = identity), "error")
}
