# How much of it there is, and how many labels it takes to know.

#' How much of it there is
#'
#' Estimates the share of rows that show something, or a mean, corrected for the errors of the predictions: how many of
#' the photographs show a protest, with the interval.
#'
#' @inheritParams regress
#' @param data A data frame, or the path of a table file, with a row for each photograph, or whatever was labelled.
#' @param predicted,labelled One variable: its column of predictions, or its columns `prob_<class>`, and its column of
#'   hand labels, as in [regress()]. Of 0 and 1 the share of 1 is estimated, of a number the mean, of a category the
#'   share of each class.
#' @param by Name of a column of groups: a row for each of them too.
#' @param cluster,weights Names of columns: the cluster of a row, for standard errors; its weight.
#' @param method `"dsl"`: the difference estimator. `"ppi"`: PPI++, for a simple random sample without clusters and
#'   weights.
#' @returns [Findings][imagesasdata_findings] with the table `metrics`: `class` (missing unless there are several),
#'   `group` (missing for all rows), `estimate`, `std_error`, `conf_low`, `conf_high`, `naive` (from predictions taken
#'   for labels), `labels` (from the labelled rows alone), `n` and `n_labelled`; and the table `accuracy` as in
#'   [regress()]. Facts: `variable`, `nobs`, `n_labelled`, `conf_level`. Limits of a share are cut at 0 and 1. Where all
#'   hand labels are alike, they reach at least Wilson's (1927) for as many labels; a mean of numbers that are all
#'   alike, or labelled in one cluster, has none.
#' @details The mean of the expected labels plus their mean error in the labelled rows, each weighted by the inverse of
#'   its probability: the difference estimator, which is design-based supervised learning of a model with an intercept
#'   alone.
#' @section Warnings: `imagesasdata_warning`: as in [regress()], and groups with fewer than 30 labels, or with labels
#'   that are all alike.
#' @section Errors: `imagesasdata_argument_invalid`, `imagesasdata_labels_invalid`, `imagesasdata_probability_invalid`,
#'   `imagesasdata_too_few_labels`.
#' @references Särndal, C.-E., Swensson, B. and Wretman, J. (1992). Model assisted survey sampling.
#'
#' Egami, N., Hinck, M., Stewart, B. M. and Wei, H. (2023). Using imperfect surrogates for downstream inference.
#'
#' Angelopoulos, A. N., Duchi, J. C. and Zrnic, T. (2023). PPI++: efficient prediction-powered inference.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' set.seed(1)
#' protest <- runif(2000) < 0.3
#' photos <- data.frame(city = rep(c("A", "B"), 1000), prob = 0.15)
#' photos$seen <- ifelse(runif(2000) < 0.9, protest, !protest)
#' photos$coded <- ifelse(runif(2000) < 0.15, protest, NA)
#' estimate_share(
#'   photos, c(protest = "seen"), c(protest = "coded"),
#'   by = "city", sampling_prob = "prob"
#' )
estimate_share <- function(
  data,
  predicted,
  labelled,
  by = NULL,
  sampling_prob = NULL,
  cluster = NULL,
  weights = NULL,
  method = "dsl",
  folds = 5,
  repeats = 10,
  conf_level = 0.95,
  seed = 1
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  iad <- python_module(call)
  arguments <- name_columns(arguments, call)
  if (is.data.frame(data)) {
    arguments$data <- with_accuracy(send_table(needed_columns(data, arguments), "data", call), data)
  } else if (!rlang::is_string(data)) {
    text <- sprintf("`data` is %s; give a data frame, or the path of a table file.", kind(data))
    abort("argument_invalid", text, call)
  }
  call_for_findings(iad$estimate_share$for_r, arguments, call)
}

#' How many hand labels a regression needs
#'
#' Says how large the standard errors of a regression would be with another number of hand labels.
#'
#' @param result What [regress()] returned, with some labels; the more they are, the surer the answer.
#' @param n_labelled How many labels; several numbers. `NULL`: 25 numbers from 50 up to all rows.
#' @param terms Which parameters. `NULL`: all.
#' @param std_error Which standard error is wanted: the table `needed` says how many labels give it.
#' @returns [Findings][imagesasdata_findings] with the table `metrics`: `term`, `n_labelled`, `std_error`, and
#'   `conf_low` and `conf_high`, where the interval would end if the estimate stayed as it is. With `std_error` also the
#'   table `needed`: `term`, `std_error`, `n_labelled` (missing where labelling all rows would not do). Facts: `nobs`,
#'   `n_labelled` (those at hand), `conf_level`. [plot()][autoplot.imagesasdata_findings] draws the standard errors.
#' @details The covariance has a part that labels add, which falls with their number, and a part of the rows, which
#'   stays. The labels to come are taken to be drawn as those at hand were.
#' @section Errors: `imagesasdata_argument_invalid`: a number of labels that cannot be, a term that there is not, or a
#'   result of `method = "naive"`, in which labels have no part.
#' @references Egami, N., Hinck, M., Stewart, B. M. and Wei, H. (2024). Using large language model annotations for the
#'   social sciences: a general framework of using predicted variables in downstream analyses.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' set.seed(1)
#' protest <- runif(2000) < 0.3
#' posts <- data.frame(likes = 1 + 2 * protest + rnorm(2000), prob = 0.15)
#' posts$predicted <- ifelse(runif(2000) < 0.85, protest, !protest)
#' posts$coded <- ifelse(seq_len(2000) <= 300, protest, NA)
#' found <- regress(
#'   likes ~ protest, posts,
#'   predicted = c(protest = "predicted"), labelled = c(protest = "coded"), sampling_prob = "prob"
#' )
#' power_regress(found, n_labelled = c(300, 600, 1200), std_error = 0.05)
power_regress <- function(result, n_labelled = NULL, terms = NULL, std_error = NULL) {
  call <- rlang::current_env()
  iad <- python_module(call)
  if (!inherits(result, "imagesasdata_regression")) {
    abort("argument_invalid", sprintf("`result` is %s; give what regress() returned.", kind(result)), call)
  }
  arguments <- list(
    result = regression_to_python(result),
    n_labelled = if (!is.null(n_labelled)) lapply(as.list(unname(n_labelled)), whole_number),
    terms = if (!is.null(terms)) as.list(unname(terms)),
    std_error = std_error
  )
  call_for_findings(iad$power_regress$for_r, arguments, call)
}

# As the class that has the methods of a model.
regression_to_python <- function(result) {
  findings_to_python(result, the$module$Regression)
}
