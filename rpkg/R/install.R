# A Python environment for the package.

#' Install the Python package
#'
#' Makes a Python environment of its own, where there is none yet, and installs the Python package into it; the same
#' call again brings it up to date. The R package finds an environment called `r-imagesasdata` by itself. Nothing is
#' asked, and no other environment is changed.
#'
#' @param envname Name or path of the environment. With a name other than the default, set `RETICULATE_PYTHON` to its
#'   Python.
#' @param source What to install: a folder (a checkout of the repository), a wheel, or a Git address
#'   (`"git+https://..."`). `NULL`: what `options(imagesasdata.source = )` says.
#' @param method `"virtualenv"` or `"conda"`.
#' @param gpu `TRUE` also installs NVIDIA's CUDA libraries, more than a gigabyte. Without it, a GPU is used only where
#'   these are on the machine already.
#'
#' @returns The path of the environment's Python, invisibly, for `Sys.setenv(RETICULATE_PYTHON = )`.
#' @section Errors: `imagesasdata_source_missing`; `imagesasdata_install_failed`, with the reason.
#' @export
#' @examples
#' \dontrun{
#' install_imagesasdata(source = "~/imagesasdata")
#' install_imagesasdata(source = "~/imagesasdata", gpu = TRUE)
#' Sys.setenv(RETICULATE_PYTHON = install_imagesasdata("~/project/python", source = "~/imagesasdata"))
#' }
install_imagesasdata <- function(envname = "r-imagesasdata", source = NULL, method = "virtualenv", gpu = FALSE) {
  method <- rlang::arg_match(method, c("virtualenv", "conda"))
  call <- rlang::current_env()
  source <- if (is.null(source)) python_source() else source
  if (is.null(source)) {
    text <- c(
      "`source` says what to install, and it is missing: the Python package is not on the Python Package Index yet.",
      i = "`source` takes a folder (a checkout of the repository), a wheel, or a Git address (\"git+https://...\")."
    )
    abort("source_missing", text, call)
  }
  check_source_exists(source, call)
  requirement <- as_requirement(source, gpu)
  install <- function(...) {
    reticulate::py_install(
      requirement,
      envname = envname,
      method = method,
      pip = TRUE,
      python_version = paste0(">=", python_needed),
      ...
    )
  }
  python <- tryCatch(
    {
      # pip takes a wheel or a Git address of the same version number for what is there already.
      if (has_package(environment_python(envname, method))) {
        install(pip_options = c("--force-reinstall", "--no-deps"))
      }
      install()
      environment_python(envname, method)
    },
    error = function(cnd) {
      text <- c(
        sprintf("Installing %s failed: %s", requirement, conditionMessage(cnd)),
        i = "The lines above say why. `source` takes a folder, a wheel or a Git address."
      )
      abort("install_failed", text, call)
    }
  )
  cli::cli_inform(c(v = "Installed into {.val {envname}}.", i = next_step(envname, python)))
  invisible(python)
}

# The environment may not exist: then this is NULL, or a path where there is nothing.
environment_python <- function(envname, method) {
  find <- switch(method, virtualenv = reticulate::virtualenv_python, conda = reticulate::conda_python)
  tryCatch(find(envname), error = function(cnd) NULL)
}

has_package <- function(python) {
  code <- sprintf("import importlib.util, sys; sys.exit(importlib.util.find_spec('%s') is None)", python_package)
  !is.null(python) &&
    file.exists(python) &&
    system2(python, c("-I", "-c", shQuote(code)), stdout = FALSE, stderr = FALSE) == 0
}

next_step <- function(envname, python) {
  chosen <- Sys.getenv("RETICULATE_PYTHON")
  if (envname == own_environment && chosen %in% c("", python)) {
    return("Restart R if it has used Python already.")
  }
  "In a fresh session, before the first verb: {.code Sys.setenv(RETICULATE_PYTHON = \"{python}\")}"
}

# A folder, a wheel, an address or a version, in the form that pip and uv take.
as_requirement <- function(source, gpu = FALSE) {
  extra <- if (gpu) "[cuda]" else ""
  if (is_version(source)) {
    return(sub("==", paste0(extra, "=="), source))
  }
  if (is_address(source)) {
    return(paste0(python_package, extra, " @ ", source))
  }
  paste0(normalizePath(source, mustWork = FALSE), extra)
}

is_version <- function(source) {
  grepl("==", source, fixed = TRUE)
}

is_address <- function(source) {
  grepl("^(git\\+|https?://|file://)", source)
}

check_source_exists <- function(source, call) {
  if (!is.null(source) && !is_version(source) && !is_address(source) && !file.exists(source)) {
    text <- c(
      sprintf("`source` is \"%s\", and there is no such folder or file.", source),
      i = "`source` takes a folder (a checkout of the repository), a wheel, or a Git address (\"git+https://...\")."
    )
    abort("source_missing", text, call)
  }
}
