# What is there and what is missing.

#' Check the installation
#'
#' Says which Python is used and why that one, which versions, which device, which models and where the cache is, and
#' for each problem the one command that mends it. It starts Python where a verb would, changes nothing else, and a
#' missing Python is a line of its report, not an error.
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
  source <- if (is.null(python_source())) "not set" else python_source()
  rbind(
    doctor_row("R", as.character(getRversion())),
    doctor_r_package("imagesasdata"),
    doctor_r_package("reticulate", reticulate_needed),
    doctor_r_package("nanoarrow", nanoarrow_needed),
    doctor_row("imagesasdata.source", source),
    doctor_row("RETICULATE_PYTHON", Sys.getenv("RETICULATE_PYTHON", "not set"))
  )
}

nanoarrow_needed <- "0.6.0"

doctor_r_package <- function(name, needed = "0", version = utils::packageVersion(name)) {
  item <- paste("R package", name)
  if (version >= needed) {
    return(doctor_row(item, as.character(version)))
  }
  cure <- sprintf("`install.packages(\"%s\")`, then restart R", name)
  doctor_row(item, sprintf("%s; %s or newer is needed", version, needed), "problem", cure)
}

doctor_python <- function() {
  # Where the package is missing, its Python is not started, and yet known.
  rows <- tryCatch(
    {
      iad <- python_module()
      as.data.frame(call_python(iad$doctor$for_r, list(), rlang::current_env()))
    },
    imagesasdata_error = doctor_problem
  )
  rbind(doctor_which_python(), rows)
}

doctor_which_python <- function() {
  config <- tryCatch(suppressWarnings(python_found()), error = function(cnd) NULL)
  if (is.null(config)) {
    return(doctor_row("Python, as R found it", "none", "note", "the next line says why"))
  }
  rbind(
    doctor_row("Python, as R found it", sprintf("%s at %s", full_version(config), config$python)),
    doctor_row("Python was chosen by", chosen_by(config))
  )
}

doctor_problem <- function(cnd) {
  known <- !is.null(cnd$cure)
  doctor_row(
    "Python package imagesasdata",
    if (known) cnd$problem else "not usable",
    "problem",
    if (known) cnd$cure else conditionMessage(cnd)
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
