# Rates of errors by group.

#' Audit predictions
#'
#' Compares the rates of errors of groups, for photographs whose true labels are known: is the model as good for all of
#' them?
#'
#' @inheritParams evaluate_predictions
#' @param by Names of columns of `predictions` or of the truth: each is a division into groups, of at most 50 values.
#' @param class_name Classes, attributes or scores whose rates are compared. `NULL`: all; of two exclusive classes the
#'   second, since what is falsely one is falsely not the other.
#' @param seed The same seed gives the same intervals and tests. R's own seed plays no part.
#' @returns [Findings][imagesasdata_findings] with the tables
#'
#' * `tests`: one row for each column of groups and rate: `by`, `metric`, `class`, `n_groups`, `lowest` and `highest`
#'   (groups), `gap` (their difference), `conf_low`, `conf_high` (of the widest gap, between whichever groups), `test`,
#'   `statistic`, `df`, `p_value` (of all groups having the same rate) and `p_adjusted` (for all tests of the table).
#' * `differences`: each pair of groups: `by`, `metric`, `class`, `group`, `reference`, `difference`, `conf_low`,
#'   `conf_high`, `interval`, `p_value`, `p_adjusted` (for the pairs of one rate).
#' * `groups`: `by`, `group`, `metric`, `class`, `estimate`, `conf_low`, `conf_high`, `n` (photographs that the rate
#'   rests on), `n_clusters`, `n_needed` (photographs for an interval of 0.05 up and down at this rate), `interval`.
#'   `tidy()` gives this one.
#' * `metrics`: the same of all photographs.
#'
#' Facts: as of [evaluate_predictions()], `by`, `n_tests`, and `design_effect` (by how much clusters make the variance
#' of the accuracy greater).
#' @details Rates, of classes and of attributes: `accuracy`; `false_positive_rate` (of the photographs without the
#'   class, the share that are given it); `false_negative_rate` (of those with it, the share that are not: 1 less the
#'   recall); `precision`; `share_error` (the share that are given the class less the share that have it: by so much a
#'   group's share is wrong); `calibration_in_the_large` (mean probability less that share). Of scores: `mean_error` and
#'   `mae`. When groups differ in how frequent a class is, no model but a perfect one has the same precision and the
#'   same false positive and negative rates in all of them (Chouldechova 2017).
#'
#'   Shares have Wilson's intervals, their differences Newcombe's (method 10); whether groups have the same is tested by
#'   chi-squared, or where fewer than 5 are expected in a cell by Fisher's exact test for two groups and by 20,000
#'   tables drawn with the same margins for more. Photographs of one event or account are alike: without `cluster`
#'   intervals are then too short and p values too small. With it intervals of rates are percentiles of the bootstrap
#'   over clusters; differences and tests are those of fewer photographs, by the design effect. Share errors,
#'   calibration and the figures of scores are means: bootstrap, linearized variances with Student's t, and a
#'   generalized score test, with clusters or without. P values are adjusted by Holm's method. The interval of a gap
#'   is for the widest gap between any two groups, whichever they are and in either direction: from the largest that one
#'   of the pairs is shown to have, 0 if none is, to the largest that one of them can have, by intervals for all pairs
#'   at once (Bonferroni). A small group may so be what makes it long. Of predictions out of fold, intervals of rates
#'   are wider as in [evaluate_predictions()]; gaps and tests are not, since the same models predicted all groups. A
#'   test that finds nothing in small groups does not show that they are equal: read how far the interval reaches.
#' @inheritSection evaluate_predictions Errors
#' @references Boos, D. D. (1992). On generalized score tests. Chouldechova, A. (2017). Fair prediction with disparate
#'   impact. Holm, S. (1979). A simple sequentially rejective multiple test procedure. Newcombe, R. G. (1998). Interval
#'   estimation for the difference between independent proportions. Rao, J. N. K. and Scott, A. J. (1992). A simple
#'   method for the analysis of clustered binary data.
#' @seealso [autoplot()][autoplot.imagesasdata_findings] draws the rates of groups.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' predictions <- data.frame(
#'   image = sprintf("%d.jpg", 1:200),
#'   truth = rep(c("other", "protest"), 100),
#'   city = rep(c("A", "B"), each = 100),
#'   label = c(rep(c("other", "protest"), 50), rep(c("other", "protest", "other", "other"), 25))
#' )
#' found <- suppressWarnings(audit_predictions(predictions, "truth", by = "city"))
#' found
#' found$differences
audit_predictions <- function(
  predictions,
  truth,
  by,
  class_name = NULL,
  image_col = "image",
  label_col = "label",
  cluster = NULL,
  coders = NULL,
  conf_level = 0.95,
  replicates = 1000,
  seed = 1
) {
  run_on_predictions("audit_predictions", as.list(environment()))
}
