# Pictures of findings: which there are, and what all of them share. They are drawn in chart-*.R.

#' Pictures of findings
#'
#' `autoplot()` makes a picture with ggplot2, which can be changed and saved like any other; `plot()` also shows it.
#' Call `ggplot2::autoplot(x)`, or attach ggplot2 first; `plot(x)` needs nothing attached.
#'
#' Colours are those of Okabe and Ito (2008), which the colour-blind can tell apart; lines also differ in their dashes,
#' points in their shapes. Names of classes and files are shown as they are and never read as expressions; long ones are
#' shortened in the middle.
#'
#' @param object,x What [cross_validate()], [evaluate_predictions()], [audit_predictions()], [learning_curve()],
#'   [coder_agreement()], [regress()], [estimate_share()] or [power_regress()] returned; or a model from [fine_tune()],
#'   for what its cross-validation found.
#' @param type Which picture:
#' * `"confusion"`: what label by hand became what label by the model, counts and shares of a row. With more than 25
#'   classes, the pairs that are most often confused.
#' * `"roc"`, `"pr"`: curves, one for each class; of more than 7 classes, the 5 with the least area stand out.
#' * `"calibration"`: how often a label is right, by its probability, with intervals.
#' * `"metrics"`: the metrics with their intervals, of each class too.
#' * `"groups"`: one metric for each group of `by` in [evaluate_predictions()] or [audit_predictions()].
#' * `"learning_curve"`: the metric by the number of labels; dashed, what 100 more promise.
#' * `"coefficients"`, `"shares"`: of [regress()] and [estimate_share()], from predictions, hand labels, and corrected.
#' * `"power"`: of [power_regress()], standard errors by the number of labels.
#' * `"errors"`, `"uncertain"`: the photographs with the most confident errors, or with the least certain labels.
#'
#' `NULL`: the confusion matrix for exclusive classes, the picture of their kind for learning curves, regressions,
#' shares and powers, and otherwise the metrics.
#' @param ... For `autoplot()`, nothing. For `plot()`, arguments of `autoplot()`.
#' @param class_name Classes or attributes to draw, for confusion (of attributes), curves and calibration. `NULL`: all.
#' @param metric With `"groups"`: which metric. `NULL`: the primary one.
#' @param n With `"errors"` and `"uncertain"`: at most so many photographs.
#' @param image_dir With `"errors"` and `"uncertain"`: the folder in which relative paths start. `NULL`: the working
#'   directory.
#' @returns `autoplot()`: a ggplot. `plot()`: `x`, invisibly.
#' @section Errors: `imagesasdata_argument_invalid`: these findings have no such picture.
#'   `imagesasdata_dependency_missing`: ggplot2 is not installed.
#' @references Okabe, M. and Ito, K. (2008). Color universal design.
#' @name autoplot.imagesasdata_findings
#' @examplesIf imagesasdata:::python_ready() && requireNamespace("ggplot2", quietly = TRUE)
#' predictions <- data.frame(
#'   image = sprintf("%d.jpg", 1:40), truth = rep(c("protest", "other"), 20),
#'   label = rep(c("protest", "other", "protest", "protest"), 10),
#'   prob = rep(c(0.9, 0.8, 0.7, 0.6), 10)
#' )
#' found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 100))
#' plot(found)
#' ggplot2::autoplot(found, "metrics")
NULL

# The table that each picture needs, and what draws it.
charts <- function() {
  list(
    confusion = list("confusion", chart_confusion),
    roc = list("roc", chart_roc),
    pr = list("pr", chart_pr),
    calibration = list("calibration", chart_calibration),
    metrics = list("metrics", chart_metrics),
    groups = list("groups", chart_groups),
    learning_curve = list("curve", chart_learning_curve),
    coefficients = list("estimates", chart_coefficients),
    shares = list("shares", chart_shares),
    power = list("power", chart_power),
    errors = list("predictions", chart_photographs),
    uncertain = list("predictions", chart_photographs)
  )
}

own_pictures <- c("coefficients", "shares", "power")

# nolint start: object_name_linter.
#' @rdname autoplot.imagesasdata_findings
#' @importFrom rlang .data
#' @exportS3Method ggplot2::autoplot
autoplot.imagesasdata_findings <- function(
  object,
  type = NULL,
  ...,
  class_name = NULL,
  metric = NULL,
  n = 20,
  image_dir = NULL
) {
  call <- rlang::current_env()
  rlang::check_dots_empty()
  need_ggplot2(call)
  there <- pictures_of(object)
  type <- if (is.null(type)) default_picture(object, there) else type
  if (!rlang::is_string(type) || !type %in% there) {
    text <- "`type` is %s; of these findings there are the pictures %s."
    abort("argument_invalid", sprintf(text, shown(type), toString(dQuote(there, FALSE))), call)
  }
  options <- list(type = type, class_name = class_name, metric = metric, n = n, image_dir = image_dir, call = call)
  charts()[[type]][[2]](object, options)
}

#' @rdname autoplot.imagesasdata_findings
#' @export
plot.imagesasdata_findings <- function(x, type = NULL, ...) {
  print(autoplot.imagesasdata_findings(x, type, ...))
  invisible(x)
}

#' @rdname autoplot.imagesasdata_findings
#' @exportS3Method ggplot2::autoplot
autoplot.imagesasdata_model <- function(object, ...) {
  autoplot.imagesasdata_findings(validation_of(object, "object", rlang::current_env()), ...)
}
# nolint end

#' @rdname autoplot.imagesasdata_findings
#' @export
plot.imagesasdata_model <- function(x, ...) {
  plot.imagesasdata_findings(validation_of(x, "x", rlang::current_env()), ...)
  invisible(x)
}

pictures_of <- function(x) {
  needed <- vapply(charts(), `[[`, "", 1)
  there <- vapply(needed, function(table) is.data.frame(x[[table]]) && nrow(x[[table]]) > 0, TRUE)
  # Scores have no probabilities; the metrics of an audit are there for its groups, those of a regression are its
  # coefficients.
  own <- inherits(x, "imagesasdata_audit") || any(names(needed) %in% own_pictures & there)
  setdiff(names(needed)[there], c(if (identical(x$facts$task, "score")) "uncertain", if (own) "metrics"))
}

default_picture <- function(x, there) {
  preferred <- c(
    own_pictures,
    "learning_curve",
    if (!isTRUE(x$facts$task %in% c("multi", "score"))) "confusion",
    "metrics"
  )
  c(intersect(preferred, there), there)[1]
}

need_ggplot2 <- function(call) {
  if (!requireNamespace("ggplot2", quietly = TRUE)) {
    text <- "Pictures need the package ggplot2, which is not installed: install.packages(\"ggplot2\")."
    abort("dependency_missing", text, call)
  }
}

# -- what the pictures share -------------------------------------------------------------------------------------------

# Okabe and Ito (2008); their yellow is too light for lines on white.
blue <- "#0072B2"
red <- "#D55E00"
series_colours <- c(blue, red, "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
series_dashes <- c("solid", "22", "42", "13", "73", "1343", "11")
grey <- "#6b6b6b"
pale <- "#d9d9d9"
most_classes <- 25

chart_theme <- function(...) {
  ggplot2::theme_minimal(base_size = 11) +
    ggplot2::theme(
      plot.background = ggplot2::element_rect(fill = "white", colour = NA),
      panel.grid.minor = ggplot2::element_blank(),
      plot.title = ggplot2::element_text(face = "bold", size = ggplot2::rel(1)),
      plot.title.position = "plot",
      plot.caption = ggplot2::element_text(colour = grey, hjust = 0),
      plot.caption.position = "plot",
      strip.text = ggplot2::element_text(face = "bold", hjust = 0),
      ...
    )
}

# An axis of shares, from 0 to 1.
share_scale <- function(scale, ...) {
  scale(limits = c(0, 1), breaks = seq(0, 1, 0.2), expand = ggplot2::expansion(add = 0.02), ...)
}

metric_words <- c(
  f1 = "F1",
  macro_f1 = "macro F1",
  roc_auc = "ROC AUC",
  pr_auc = "PR AUC",
  brier = "Brier score",
  r2 = "R\u00b2",
  mae = "mean absolute error",
  rmse = "root mean squared error",
  cohen_kappa = "Cohen's kappa",
  fleiss_kappa = "Fleiss' kappa",
  krippendorff_alpha = "Krippendorff's alpha",
  icc_1 = "ICC(1)",
  icc_a1 = "ICC(A,1)",
  icc_c1 = "ICC(C,1)"
)

metric_name <- function(metric) {
  known <- metric %in% names(metric_words)
  ifelse(known, unname(metric_words[metric]), gsub("_", " ", metric, fixed = TRUE))
}

sentence <- function(text) {
  paste0(toupper(substr(text, 1, 1)), substring(text, 2))
}

# As text: the estimate, and its interval in brackets.
with_interval <- function(estimate, low, high, nothing = "-") {
  interval <- ifelse(is.na(low) | is.na(high), "", sprintf(" [%.3f, %.3f]", low, high))
  ifelse(is.na(estimate), nothing, paste0(sprintf("%.3f", estimate), interval))
}

percent <- function(share) {
  sprintf("%.0f%%", 100 * share)
}

count <- function(n) {
  format(n, big.mark = ",", trim = TRUE, scientific = FALSE)
}

# Text from outside on one line, without characters that nobody sees. The end of a file's name tells as much as its
# beginning, so what is too long loses its middle.
short <- function(text, most = 28) {
  text <- gsub("[\\p{Cc}\\p{Z}]+", " ", enc2utf8(as.character(text)), perl = TRUE)
  text <- trimws(gsub("\\p{Cf}", "", text, perl = TRUE))
  tail <- (most - 3) %/% 2
  cut <- paste0(substr(text, 1, most - 3 - tail), "...", substring(text, nchar(text) - tail + 1))
  long <- !is.na(text) & nchar(text) > most
  text[long] <- cut[long]
  text
}

short_labels <- function(most = 28) {
  function(text) short(text, most)
}

# Rows of the classes that were asked for. Where a row is about all classes, its class is missing.
of_classes <- function(table, column, options) {
  table <- as.data.frame(table)
  table[[column]] <- as.character(table[[column]])
  wanted <- options$class_name
  if (is.null(wanted)) {
    return(table)
  }
  there <- unique(table[[column]][!is.na(table[[column]])])
  if (!is.character(wanted) || !all(wanted %in% there)) {
    text <- sprintf("`class_name` is %s; there are %s.", shown(wanted), toString(dQuote(there, FALSE), width = 300))
    abort("argument_invalid", text, options$call)
  }
  table[table[[column]] %in% wanted, ]
}

shown <- function(value) {
  if (is.character(value)) toString(encodeString(value, quote = "\""), width = 100) else kind(value)
}
