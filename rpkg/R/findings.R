# What a verb found out where one table is not enough: several tables, facts, and a summary in words.

#' Findings
#'
#' [coder_agreement()], [evaluate_predictions()], [audit_predictions()], [cross_validate()], [learning_curve()],
#' [regress()], [estimate_share()] and [power_regress()] find out more than one table holds. Their results are lists of
#' tables, printed as a summary, with the methods that broom, ggplot2 and tidymodels know. They hold nothing of Python,
#' so `saveRDS()` keeps them.
#'
#' @param x,object What one of these verbs returned. `tidy()` and `glance()` also take a model from [fine_tune()], for
#'   what its cross-validation found.
#' @param table Name of one of the tables.
#' @param row.names,optional,... Not used.
#' @returns
#' * `x$<table>`: each table as a tibble, or a data frame where tibble is not installed; `x$facts`: single values, such
#'   as `x$facts$estimate`; `x$lines` and `x$notes`: the summary and the warnings, which are both printed.
#' * `tidy()`: the table `metrics` with broom's names: `metric`, `class` (or `name`), `estimate`, `conf.low`,
#'   `conf.high`, `n`; of shares also `group` and `std.error`. Of an audit the table `groups`.
#' * `glance()`: one row with the facts that are single values; `n_classes` is the number of classes.
#' * `as.data.frame()`, `tibble::as_tibble()`: the table `metrics`, or another, as a plain data frame or a tibble.
#' * `summary()`: what is printed and all metrics, of each class too; it prints as text.
#' @details `tidy()` and `glance()` are generics of the package generics: call them as `generics::tidy(x)` and
#'   `generics::glance(x)`, or attach a package that has them, such as broom or tidymodels.
#' @seealso [autoplot()][autoplot.imagesasdata_findings] for pictures, [write_report()] for a page.
#' @name imagesasdata_findings
#' @examplesIf imagesasdata:::python_ready()
#' coded <- data.frame(
#'   image = rep(c("a.jpg", "b.jpg", "c.jpg", "d.jpg"), each = 2), coder = c("Ann", "Ben"),
#'   label = c("protest", "protest", "other", "protest", "other", "other", "protest", "protest")
#' )
#' found <- suppressWarnings(coder_agreement(coded, replicates = 100))
#' found
#' found$disagreements
#' as.data.frame(found)
#' if (requireNamespace("generics", quietly = TRUE)) generics::tidy(found)
NULL

as_findings <- function(found) {
  json <- text_from_python(found$facts_json())
  known <- jsonlite::fromJSON(json)
  names <- as.character(from_python(found$table_names()))
  tables <- lapply(stats::setNames(names, names), function(name) table_to_r(found$tables[[name]]))
  words <- list(facts = known$facts, lines = as.character(known$lines), notes = as.character(known$notes))
  # The text goes back to Python as it came, for a report: a vector of one would not.
  structure(c(tables, words), class = c(paste0("imagesasdata_", known$kind), "imagesasdata_findings"), json = json)
}

findings_to_python <- function(findings, class = the$module$Findings) {
  tables <- Filter(is.data.frame, unclass(findings))
  class$from_json(attr(findings, "json"), lapply(tables, table_to_python))
}

# A verb that answers with findings, or with what `to_r` makes of them.
call_for_findings <- function(verb, arguments, call, to_r = as_findings) {
  found <- run_python(verb, arguments, call, to_r)
  warn(found$notes, call)
  found
}

check_findings <- function(findings, call) {
  if (!inherits(findings, "imagesasdata_findings")) {
    text <- "`findings` is %s; give what cross_validate(), evaluate_predictions() or fine_tune() returned."
    abort("argument_invalid", sprintf(text, kind(findings)), call)
  }
}

#' @export
format.imagesasdata_findings <- function(x, ...) {
  c(cli::style_bold(utils::head(x$lines, 1)), x$lines[-1], note_lines(x$notes))
}

# As in Python.
note_lines <- function(notes) {
  unlist(lapply(notes, function(note) strwrap(paste("note:", note), width = 80, exdent = 2)))
}

#' @export
print.imagesasdata_findings <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}

# nolint start: object_name_linter, object_length_linter.
#' @rdname imagesasdata_findings
#' @export
as.data.frame.imagesasdata_findings <- function(x, row.names = NULL, optional = FALSE, ..., table = "metrics") {
  as.data.frame(table_of(x, table, rlang::current_env()))
}

#' @rdname imagesasdata_findings
#' @exportS3Method tibble::as_tibble
as_tibble.imagesasdata_findings <- function(x, ..., table = "metrics") {
  tibble::as_tibble(table_of(x, table, rlang::current_env()))
}

table_of <- function(findings, table, call) {
  tables <- Filter(is.data.frame, unclass(findings))
  if (!rlang::is_string(table) || !table %in% names(tables)) {
    text <- sprintf("`table` is %s; there are the tables %s.", shown(table), toString(dQuote(names(tables), FALSE)))
    abort("argument_invalid", text, call)
  }
  tables[[table]]
}

#' @rdname imagesasdata_findings
#' @exportS3Method generics::tidy
tidy.imagesasdata_findings <- function(x, ...) {
  audit <- inherits(x, "imagesasdata_audit")
  metrics <- if (audit) x$groups else x$metrics
  about <- c("term", if (audit) c("by", "group"), "name", "metric", "class", "group")
  first <- intersect(c(about, "estimate", "std_error", "conf_low", "conf_high", "n"), names(metrics))
  metrics <- metrics[c(first, setdiff(names(metrics), first))]
  stats::setNames(metrics, broom_names(names(metrics)))
}

#' @rdname imagesasdata_findings
#' @exportS3Method generics::glance
glance.imagesasdata_findings <- function(x, ...) {
  facts <- x$facts
  facts$n_classes <- if (is.null(facts$classes)) NULL else length(facts$classes)
  facts$classes <- NULL
  facts <- lapply(facts, function(fact) if (is.null(fact)) NA else fact)
  single <- vapply(facts, function(fact) is.atomic(fact) && length(fact) == 1, TRUE)
  as_table(stats::setNames(facts[single], broom_names(names(facts)[single])), 1)
}
# nolint end

broom_names <- function(names) {
  sub("^(conf|std|p)_(low|high|level|error|value)$", "\\1.\\2", names)
}

#' @rdname imagesasdata_findings
#' @export
summary.imagesasdata_findings <- function(object, ...) {
  structure(unclass(object)[c("lines", "notes", "metrics")], class = "summary.imagesasdata_findings")
}

#' @export
format.summary.imagesasdata_findings <- function(x, digits = 3, ...) {
  metrics <- as.data.frame(x$metrics)
  rows <- utils::capture.output(print(metrics, digits = digits, row.names = FALSE, na.print = "-"))
  c(format.imagesasdata_findings(x), "", rows)
}

#' @export
print.summary.imagesasdata_findings <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}
