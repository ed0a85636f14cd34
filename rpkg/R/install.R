# A Python environment for the package.

#' Install the Python package
#'
#' Makes a Python environment of its own, where there is none yet, and installs the Python package into it. The R
#' package finds an environment called `r-imagesasdata` by itself. Nothing is asked, and no other environment is
#' changed.
#'
#' @param envname Name or path of the environment. With a name other than the default, set `RETICULATE_PYTHON` to its
#'   Python.
#' @param source What to install: a folder (a checkout of the repository), a wheel, or a Git address
#'   (`"git+https://..."`). `NULL`: what `options(imagesasdata.source = )` says.
#' @param method `"virtualenv"` or `"conda"`.
#' @param gpu `TRUE` also installs NVIDIA's CUDA libraries, more than a gigabyte. Without it, a GPU is used only where
#'   these are on the machine already.
#'
#' @returns `envname`, invisibly.
#' @section Errors: `imagesasdata_source_missing`; `imagesasdata_install_failed`, with the reason.
#' @export
#' @examples
#' \dontrun{
#' install_imagesasdata(source = "~/imagesasdata")
#' install_imagesasdata(source = "~/imagesasdata", gpu = TRUE)
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
  requirement <- as_requirement(source, gpu)
  tryCatch(
    reticulate::py_install(requirement, envname = envname, method = method, pip = TRUE, python_version = ">=3.11"),
    error = function(cnd) {
      text <- c(
        sprintf("Installing %s failed: %s", requirement, conditionMessage(cnd)),
        i = "The lines above say why. `source` takes a folder, a wheel or a Git address."
      )
      abort("install_failed", text, call)
    }
  )
  cli::cli_inform(c(v = "Installed into {.val {envname}}.", i = "Restart R if it has used Python already."))
  invisible(envname)
}

# A folder, a wheel, an address or a version, in the form that pip and uv take.
as_requirement <- function(source, gpu = FALSE) {
  extra <- if (gpu) "[cuda]" else ""
  if (grepl("==", source, fixed = TRUE)) {
    return(sub("==", paste0(extra, "=="), source))
  }
  if (grepl("^(git\\+|https?://)", source)) {
    return(paste0(python_package, extra, " @ ", source))
  }
  paste0(normalizePath(source, mustWork = FALSE), extra)
}
