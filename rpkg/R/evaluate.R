# Predictions beside the truth.

#' Evaluate predictions
#'
#' Says how good predictions are, for photographs whose true labels are known: every metric with its interval, by class
#' and by subgroup.
#'
#' @param predictions A data frame from [classify_images()], or the out-of-fold predictions of [cross_validate()], whose
#'   columns `fold`, `repeat` and `group` make intervals as wide as they are there; or the path of a table file with
#'   one. Without columns of probabilities, what rests on labels alone is measured.
#' @param truth The name of a column of `predictions` (of several attributes or scores: the names of the columns, or
#'   what they begin with, such as `"truth"` for `truth_fire` and `truth_flag`); a vector with a label for each row; or
#'   a data frame or table file of hand labels, or a folder of class folders, whose photographs are called as in
#'   `predictions`.
#' @param by Names of columns of `predictions` or of the truth: everything is measured for each of their values too.
#' @param image_col Name of the column of paths.
#' @param label_col Name of the column of hand labels in a table of truth; for several attributes or scores the names of
#'   the columns, by default those that are called as these.
#' @param cluster Name of a column of `predictions` or of the truth: photographs with one value (an event, an account)
#'   are no independent evidence, and are resampled together.
#' @param coders Who coded a table of truth, as in [fine_tune()]: the majority is the truth, and how far coders agree is
#'   reported beside the accuracy.
#' @param conf_level Level of the intervals, between 0 and 1.
#' @param replicates Replicates of the bootstrap; 0 for none.
#' @param seed The same seed gives the same intervals. R's own seed plays no part.
#' @returns [Findings][imagesasdata_findings] with the tables
#'
#' * `metrics`: `metric`, `class` (missing for the whole), `estimate`, `conf_low`, `conf_high`, `n` (photographs that
#'   it rests on) and `interval` (how it was made). An estimate is missing where it is undefined, as the recall of a
#'   class without photographs is.
#' * `groups`, with `by`: the same by `by` and `group`.
#' * `confusion`: `truth`, `label`, `n`; for several attributes also `attribute`.
#' * `roc`: `class`, `threshold`, `fpr`, `tpr`. `pr`: `class`, `threshold`, `recall`, `precision`.
#' * `calibration`: `class` (missing: the label that was given), `prob`, `share` (that is right), `conf_low`,
#'   `conf_high`, `n`, in bins of equal mass.
#' * `predictions`: every row with its truth.
#' * `ceilings`, with `coders`: `name`, `metric` (`coder_accuracy`: how often one coder says what most of the others
#'   say; `coder_correlation`: of one coder with the mean of the others; `best_r2`, `best_correlation`: what the coders'
#'   agreement allows a model at most), `estimate`, `conf_low`, `conf_high`, `n`.
#'
#' Facts: `n` (photographs compared), `n_failed` (without a prediction), `n_unlabelled` (without a truth), `primary`
#' with `estimate`, `conf_low` and `conf_high`, `baseline` (accuracy of always giving the most frequent class) and
#' `ceiling` (agreement of the coders).
#' @details Definitions are scikit-learn's. For exclusive classes: macro figures are means over the classes for which
#'   they are defined; ROC AUC and PR AUC (average precision) are of one class against the others, and for the whole
#'   their mean, or with two classes those of the second; the Brier score is the sum over the classes, from 0 to 2, or
#'   with two classes that of the second's probability, from 0 to 1; the calibration error is that of the label that was
#'   given, in 10 bins of equal mass or as many as have 10 photographs. For several attributes and for scores, figures
#'   of the whole are means over them. Metrics: `accuracy`, `balanced_accuracy`, `macro_precision`, `macro_recall`,
#'   `macro_f1`, `kappa`, `roc_auc`, `pr_auc`, `brier`, `log_loss`, `calibration_error`, and by class `precision`,
#'   `recall`, `f1`, `roc_auc` and `pr_auc`; for scores `r2`, `mae`, `rmse` and `correlation` (Pearson).
#'
#'   Intervals of accuracy, precision and recall are Wilson's; those of other figures, and all of them with `cluster`,
#'   are percentiles of bootstrap replicates. That of the calibration error, which chance makes greater, begins at 0
#'   where a calibrated model would have as large an error. A photograph that occurs in several rows is a cluster by
#'   itself. Predictions out of fold come from models that share photographs, so their intervals are wider, 1.5 times
#'   with five folds (Nadeau and Bengio 2003), and where groups were kept together, these are the clusters: `interval`
#'   then says `across folds`. Intervals say nothing of photographs of another kind than those in the table.
#' @section Errors: `imagesasdata_argument_invalid`, `imagesasdata_keys_invalid` (predictions and truth have no
#'   photograph in common), `imagesasdata_labels_invalid`, `imagesasdata_image_column_missing`,
#'   `imagesasdata_table_unreadable`.
#' @references Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Cohen, J. (1960). A
#'   coefficient of agreement for nominal scales. Guo, C. et al. (2017). On calibration of modern neural networks.
#'   Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error.
#'   Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
#' @seealso [autoplot()][autoplot.imagesasdata_findings] for pictures, [write_report()] for a page.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' predictions <- data.frame(
#'   image = sprintf("%d.jpg", 1:40),
#'   truth = rep(c("protest", "other"), 20),
#'   city = rep(c("A", "B"),
#'   each = 20),
#'   label = rep(c("protest", "other", "protest", "protest"), 10)
#' )
#' found <- suppressWarnings(evaluate_predictions(predictions, "truth", by = "city", replicates = 100))
#' found
#' found$confusion
evaluate_predictions <- function(
  predictions,
  truth,
  by = NULL,
  image_col = "image",
  label_col = "label",
  cluster = NULL,
  coders = NULL,
  conf_level = 0.95,
  replicates = 1000,
  seed = 1
) {
  run_on_predictions("evaluate_predictions", as.list(environment()))
}

run_on_predictions <- function(verb, arguments, call = rlang::caller_env()) {
  iad <- python_module(call)
  predictions <- arguments$predictions
  truth <- arguments$truth
  if (is.data.frame(predictions)) {
    arguments$predictions <- table_to_python(arrow_columns(predictions))
  } else if (!rlang::is_string(predictions)) {
    text <- sprintf("`predictions` is %s; give a data frame, or the path of a table file.", kind(predictions))
    abort("argument_invalid", text, call)
  }
  arguments["truth"] <- list(truth_for_python(truth, names(predictions), call))
  several <- intersect(c("by", "label_col", "coders", "class_name"), names(arguments))
  arguments[several] <- lapply(arguments[several], unname)
  call_for_findings(iad[[verb]]$for_r, arguments, call)
}
