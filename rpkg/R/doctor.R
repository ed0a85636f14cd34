# What is there and what is missing.

#' Check the installation
#'
#' Looks at R, Python, the packages, the models and the devices, and says what to do about each problem. It changes
#' nothing, and a missing Python is a line of its report, not an error.
#'
#' @returns A tibble, or a data frame where tibble is not installed, of class `imagesasdata_doctor`, with the columns
#'   `item`, `value`, `status` (`"ok"`, `"note"` or `"problem"`) and `advice`. It prints as a report.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' iad_doctor()
iad_doctor <- function() {
  rows <- rbind(doctor_r(), doctor_python())
  rows <- as_table(as.list(rows), nrow(rows))
  structure(rows, class = c("imagesasdata_doctor", class(rows)))
}

doctor_row <- function(item, value, status = "ok", advice = NA_character_) {
  data.frame(item = item, value = value, status = status, advice = advice)
}

doctor_r <- function() {
  version <- function(package) as.character(utils::packageVersion(package))
  chosen <- Sys.getenv("RETICULATE_PYTHON", "not set")
  rbind(
    doctor_row("R", as.character(getRversion())),
    doctor_row("R package imagesasdata", version("imagesasdata")),
    doctor_row("R package reticulate", version("reticulate")),
    doctor_row("R package nanoarrow", version("nanoarrow")),
    doctor_row("RETICULATE_PYTHON", chosen)
  )
}

doctor_python <- function() {
  tryCatch(
    {
      iad <- python_module()
      rows <- call_python(iad$doctor$for_r, list(), rlang::current_env())
      rbind(doctor_row("Python, as R found it", reticulate::py_config()$python), as.data.frame(rows))
    },
    imagesasdata_error = function(cnd) {
      doctor_row("Python package imagesasdata", "not usable", "problem", conditionMessage(cnd))
    }
  )
}

#' @export
format.imagesasdata_doctor <- function(x, ...) {
  marks <- c(
    ok = cli::col_green(cli::symbol$tick),
    note = cli::col_yellow("!"),
    problem = cli::col_red(cli::symbol$cross)
  )
  lines <- sprintf("%s %s: %s", marks[x$status], x$item, x$value)
  advice <- ifelse(is.na(x$advice), "", paste0("\n  ", gsub("\n", "\n  ", x$advice)))
  paste0(lines, advice)
}

#' @export
print.imagesasdata_doctor <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}
