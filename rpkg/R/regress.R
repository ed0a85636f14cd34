# Regressions on predicted variables, corrected for the errors of the predictions.

#' Regressions on predicted variables
#'
#' A label that a model predicted is a variable measured with error. A regression that takes predictions for labels is
#' biased, and its intervals are too narrow around the wrong number. `regress()` corrects it by the rows that were
#' labelled by hand, and shows three estimates side by side: from predictions, from hand labels alone, and corrected.
#'
#' @param formula A formula as in [lm()], such as `retweets ~ protest * followers`, with everything that
#'   [model.matrix()] understands: factors, interactions, `I()`, `log()`, `poly()`, splines. Variables that `data` lacks
#'   may be where the formula was written. Not: a dot, `offset()`, an outcome of two columns. An outcome that is
#'   logical, or a factor, is 0 and 1, as in [glm()]: of a factor the first level is 0.
#' @param data A data frame with a row for each observation. Rows in which another variable is missing are left out,
#'   with a warning.
#' @param predicted For each predicted variable of the formula its column of predictions, such as
#'   `c(protest = "prob_protest")`: labels, scores, or probabilities of 1. Of a variable with several classes the
#'   columns `prob_<class>`, as a list: `list(event = c("prob_march", "prob_riot", "prob_vigil"))`; or its one column of
#'   labels. They are best out of fold where a row was among those that the model learnt from, as in the table
#'   `predictions` of [cross_validate()]. Whether the model learnt from these rows is known only while `data` has the
#'   attributes that [classify_images()] and [merge_predictions()] give it: after a CSV file or another merge there is
#'   no warning of it.
#' @param labelled For each predicted variable its column of hand labels, such as `c(protest = "coded")`, missing (or
#'   empty text) where a row was not coded. The variable is of the kind that this column has: a factor with its order of
#'   levels, text, logical (the coefficient is then `protestTRUE`) or numbers. Text or a factor beside the one column
#'   `prob_<class>` makes the variable 1 where the label is this class. Whole numbers are a category where the labels
#'   are a factor or text, or the formula makes a factor of them, as `factor(k)` does.
#' @param family `"gaussian"` (linear), `"binomial"` (logit), `"poisson"`, or `"negbin"` (negative binomial, NB2; its
#'   `alpha` is what [MASS::glm.nb()] has as 1 / theta).
#' @param sampling_prob Name of the column with the probability that a row was chosen to be labelled, as
#'   [sample_images()] gives it. `NULL`: the labelled rows are taken to be a simple random sample.
#' @param cluster,weights Names of columns: the cluster of a row, for standard errors; its weight in the model.
#' @param method `"dsl"`: design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, 2024). `"ppi"`: PPI++
#'   (Angelopoulos, Duchi and Zrnic 2023), for a predicted outcome. `"naive"`: predictions taken for labels. `"labels"`:
#'   the labelled rows alone.
#' @param absorb Name of a column of groups that have each an intercept of their own (fixed effects); for linear models.
#'   Groups may have few labels, or none: unlike dummies it takes out the noise of their means.
#' @param folds,repeats Folds in which labels are predicted for rows that had no part in learning, and how many random
#'   splits into folds there are.
#' @param conf_level Level of the intervals, between 0 and 1.
#' @param seed The same seed gives the same estimate. R's own seed plays no part.
#' @returns [A regression][imagesasdata_regression], with the methods of models, and the tables
#'
#' * `metrics`: `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high` of the method that was
#'   asked for.
#' * `estimates`: `term`, then `<which>_estimate`, `<which>_std_error`, `<which>_conf_low` and `<which>_conf_high` of
#'   `naive`, `labels` and `corrected`; missing where there is no such estimate.
#' * `covariance`: `which` (these three, and `from_labels`: the part that falls with the number of labels), `term`, then
#'   a column `cov_<term>` for each term.
#' * `accuracy`: `variable`, `metric` (`"accuracy"`, or `"correlation"` of a number), `estimate`, `n`: predictions
#'   beside labels.
#'
#' Facts: `family`, `method`, `chosen` (the estimate that `coef()` gives), `nobs` (rows used), `n_labelled`,
#' `n_clusters`, `conf_level`. Standard errors are robust (HC1), or by cluster.
#' @details The numbers are made in Python, the matrices in R: of the formula with the predictions, with the labels, and
#'   with each value that a label may have. Numbers in `poly()`, `scale()`, `ns()` and `bs()` are those of the
#'   predictions, and stay the same, as in [predict()]. A transformation that is made anew of each sample, such as
#'   `cut(x, 3)` or `x - mean(x)`, is right for variables that were not predicted.
#'
#'   With all rows labelled the estimates are those of [lm()] and [glm()], and the standard errors those of
#'   `sandwich::vcovHC(type = "HC1")` and `sandwich::vcovCL(type = "HC1")`. Of a negative binomial model they differ a
#'   little: `alpha` is one of the parameters here, and the sandwich is of the observed information, where sandwich
#'   takes the expected information of the coefficients alone.
#' @section Warnings: `imagesasdata_warning`: labels without known probabilities, few labels, missing or perfect
#'   predictions, a class that is never predicted, few clusters, clusters of one row, rows left out, rows labelled for
#'   some of several predicted variables alone, an estimate to compare with that there is not.
#' @section Errors: `imagesasdata_argument_invalid`, `imagesasdata_labels_invalid`: the columns are not there, or not
#'   what they should be. `imagesasdata_columns_collinear`, `imagesasdata_separation_found`,
#'   `imagesasdata_no_overdispersion`, `imagesasdata_not_converged`, `imagesasdata_outcome_invalid`,
#'   `imagesasdata_probability_invalid`, `imagesasdata_too_few_labels`: why there is no estimate. What goes wrong in the
#'   formula is R's own error.
#' @references
#' Egami, N., Hinck, M., Stewart, B. M. and Wei, H. (2023). Using imperfect surrogates for downstream inference:
#' design-based supervised learning for social science applications of large language models.
#'
#' Egami, N., Hinck, M., Stewart, B. M. and Wei, H. (2024). Using large language model annotations for the social
#' sciences: a general framework of using predicted variables in downstream analyses.
#'
#' Angelopoulos, A. N., Duchi, J. C. and Zrnic, T. (2023). PPI++: efficient prediction-powered inference.
#' @seealso [estimate_share()] for how much of it there is, [power_regress()] for how many labels it takes.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' set.seed(1)
#' protest <- runif(2000) < 0.3
#' posts <- data.frame(likes = 1 + 2 * protest + rnorm(2000))
#' posts$predicted <- ifelse(runif(2000) < 0.85, protest, !protest)
#' posts$coded <- ifelse(seq_len(2000) <= 300, protest, NA)
#' posts$prob <- 300 / 2000
#' found <- regress(
#'   likes ~ protest, posts,
#'   predicted = c(protest = "predicted"), labelled = c(protest = "coded"), sampling_prob = "prob"
#' )
#' found
#' confint(found)
regress <- function(
  formula,
  data,
  predicted,
  labelled,
  family = "gaussian",
  sampling_prob = NULL,
  cluster = NULL,
  weights = NULL,
  method = "dsl",
  absorb = NULL,
  folds = 5,
  repeats = 10,
  conf_level = 0.95,
  seed = 1
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  written <- match.call()
  python_module(call)
  check_data_frame(data, "data", call)
  check_family(family, call)
  arguments <- name_columns(arguments, call)
  read <- read_formula(formula, data, arguments$predicted, call)
  hand <- lapply(rlang::set_names(names(arguments$labelled)), hand_labels, data, arguments)
  arguments$categories <- as.list(made_factors(read, hand))
  design <- formula_design(read$formula, read$columns, hand, family, call)
  # Python gets the matrices of the formula by asking for them; of the variables, to drop rows in which one is missing,
  # and to predict labels.
  arguments[c("data", "used", "outcome")] <- formula_columns(read, data, arguments, call)
  arguments$formula <- deparse1(read$formula)
  verb <- function(...) python_part("regression.regress")$regress_for_r(design$ask, ...)
  as_regression <- function(found) {
    found <- as_findings(found) # only now has the design been made
    model <- list(call = written, formula = read$formula, absorb = absorb)
    regression_of(found, c(model, design$made()[c("terms", "xlevels", "contrasts")]))
  }
  tryCatch(
    call_for_findings(verb, arguments, call, as_regression),
    imagesasdata_python_error = function(cnd) stop(if (is.null(design$raised())) cnd else design$raised())
  )
}

check_family <- function(family, call) {
  if (inherits(family, "family") || is.function(family)) {
    known <- toString(dQuote(c("gaussian", "binomial", "poisson", "negbin"), FALSE))
    text <- "`family` is %s; give its name as text, one of %s. Each has its usual link."
    abort("argument_invalid", sprintf(text, kind(family), known), call)
  }
}

# `predicted` and `labelled` name columns by variable: c(protest = "prob_protest"), or a list where one has several.
name_columns <- function(arguments, call) {
  examples <- c(predicted = "prob_protest", labelled = "coded")
  for (argument in names(examples)) {
    given <- arguments[[argument]]
    if (!rlang::is_named(given) || !all(vapply(as.list(given), is.character, TRUE))) {
      text <- "`%s` must name columns by variable, such as c(protest = \"%s\")."
      abort("argument_invalid", sprintf(text, argument, examples[[argument]]), call)
    }
    arguments[[argument]] <- lapply(as.list(given), unname)
  }
  for (argument in intersect(names(arguments), single_columns)) {
    given <- arguments[[argument]]
    if (!is.null(given) && !rlang::is_string(given)) {
      abort("argument_invalid", sprintf("`%s` is %s; give the name of one column.", argument, kind(given)), call)
    }
  }
  arguments
}

single_columns <- c("by", "sampling_prob", "cluster", "weights", "absorb")

# What goes to Python: the columns that are named, and of the others their names, for its messages.
needed_columns <- function(data, arguments, plain = NULL) {
  sent <- columns_for_python(data, c(unlist(arguments[c("predicted", "labelled", single_columns)]), plain))
  for (variable in names(arguments$labelled)) {
    labels <- hand_labels(variable, data, arguments)
    if (!is.null(labels)) {
      sent[[arguments$labelled[[variable]]]] <- plain_column(labels)
    }
  }
  sent
}

# Numbers with labels, as haven reads them, are numbers beside numbers, and text elsewhere. NULL: there is no such
# column.
hand_labels <- function(variable, data, arguments) {
  name <- arguments$labelled[[variable]]
  labels <- if (length(name) == 1 && sum(names(data) == name) == 1) data[[name]]
  if (inherits(labels, "haven_labelled")) {
    predictions <- as.list(data)[arguments$predicted[[variable]]]
    numbers <- is.numeric(labels) && length(predictions) == 1 && is.numeric(predictions[[1]])
    return(if (numbers) as.vector(unclass(labels)) else plain_column(labels))
  }
  if (is.factor(labels)) droplevels(labels) else labels
}

# A variable that is a matrix goes as its columns.
formula_columns <- function(read, data, arguments, call) {
  simple <- vapply(read$columns, is_plain, TRUE)
  inside <- intersect(names(read$columns)[simple], names(data))
  sent <- needed_columns(data, arguments, inside)
  outside <- read$columns[simple & !names(read$columns) %in% inside]
  spread <- Map(spread_matrix, read$columns[!simple], names(read$columns)[!simple])
  sent[names(outside)] <- lapply(outside, plain_column)
  for (columns in spread) {
    sent[names(columns)] <- columns
  }
  name_parts <- function(names) {
    as.list(unlist(lapply(names, function(name) if (is.null(spread[[name]])) name else names(spread[[name]]))))
  }
  sent <- with_accuracy(send_table(sent, "data", call), data)
  list(data = sent, used = name_parts(read$used), outcome = name_parts(read$outcome))
}

# What cross-validation found of the model that made the predictions, where the data frame knows it.
with_accuracy <- function(table, data) {
  promised <- attr(data, "imagesasdata")$cross_validated_accuracy
  if (is.null(promised)) {
    return(table)
  }
  the$module$tables$with_provenance(table, list(cross_validated_accuracy = as.list(promised)))
}

spread_matrix <- function(column, name) {
  numbers <- as.matrix(column)
  mode(numbers) <- "numeric"
  columns <- lapply(seq_len(ncol(numbers)), function(j) as.vector(numbers[, j]))
  stats::setNames(columns, if (ncol(numbers) == 1) name else sprintf("%s[%d]", name, seq_len(ncol(numbers))))
}
