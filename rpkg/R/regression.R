# A fitted regression: R's methods for models.

#' A regression
#'
#' What [regress()] returns: [findings][imagesasdata_findings] with the methods that R's models have, so that it works
#' with `lmtest::coeftest()`, modelsummary and the like, as far as these need no more. It holds nothing of Python, so
#' `saveRDS()` keeps it.
#'
#' The parameters are normal in large samples, so that there are no residual degrees of freedom: `df.residual()` is
#' `Inf`. The last parameter of a negative binomial model is `alpha`, and `coef()` and `vcov()` have it; `predict()`
#' does not use it. There is no likelihood, since the estimate does not maximise one.
#'
#' @param object,x What [regress()] returned.
#' @param which Which estimate: `"naive"` (predictions taken for labels), `"labels"` (the labelled rows alone) or
#'   `"corrected"`. `NULL`: that of the method that was asked for.
#' @param parm Names or numbers of parameters. Missing: all.
#' @param level,conf.level Level of the intervals, between 0 and 1; by default that which [regress()] was given.
#' @param conf.int Whether `tidy()` gives intervals.
#' @param exponentiate Whether `tidy()` gives `exp()` of the coefficients and their limits, as odds ratios or ratios of
#'   counts; `std.error`, and the row `alpha` of a negative binomial model, stay as they are.
#' @param newdata A data frame with the variables of the formula; a predicted variable under its own name, of the kind
#'   that its hand labels have.
#' @param type `"link"`: the linear predictor. `"response"`: the mean of the outcome.
#' @param interval `"confidence"`: with the limits of the linear predictor, or of the mean, that `vcov()` gives.
#' @param complete,use.fallback Of the generic functions; they change nothing here.
#' @param ... Must be empty, so that a misspelt argument is an error.
#' @returns
#' * `coef()`, `vcov()`, `confint()`: parameters, their covariance, and intervals from the normal distribution.
#' * `nobs()`: how many rows were used. `family()`: the family, with its link.
#' * `predict()`: a number for each row of `newdata`; with an interval a matrix of `fit`, `lwr` and `upr`.
#' * `tidy()`: `term`, `estimate`, `std.error`, `statistic`, `p.value`, `conf.low`, `conf.high`. `glance()`: one row
#'   with `family`, `method`, `chosen`, `nobs`, `n_labelled`, `n_clusters` and `conf.level`.
#' * `summary()`: coefficients as `summary(glm())` prints them, the three estimates side by side, the accuracy of the
#'   predictions, and what the user should know; `coef(summary(x))` is the matrix of the coefficients.
#' @section Warnings: `imagesasdata_warning`: coefficients of a linear model are exponentiated.
#' @section Errors: `imagesasdata_argument_invalid`: there is no such estimate, a level is not between 0 and 1, or a
#'   model with `absorb` is to predict.
#' @name imagesasdata_regression
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
#' summary(found)
#' confint(found, which = "labels")
#' predict(found, data.frame(protest = c(FALSE, TRUE)))
NULL

# `model` is what R keeps of the model: call, formula, terms, levels and contrasts. Coefficients are kept by themselves,
# as in lm(), because some tools change them.
regression_of <- function(found, model) {
  found$coefficients <- stats::setNames(found$metrics$estimate, found$metrics$term)
  found[names(model)] <- model
  found
}

ways <- c("naive", "labels", "corrected")

# The rows of one of the three estimates.
way_of <- function(object, which, call) {
  if (is.null(which)) {
    return(object$facts$chosen)
  }
  there <- intersect(ways, object$covariance$which)
  if (!rlang::is_string(which) || !which %in% there) {
    text <- "`which` is %s; of this model there are the estimates %s."
    abort("argument_invalid", sprintf(text, shown(which), toString(dQuote(there, FALSE))), call)
  }
  which
}

#' @rdname imagesasdata_regression
#' @importFrom stats coef
#' @export
coef.imagesasdata_regression <- function(object, which = NULL, complete = TRUE, ...) {
  rlang::check_dots_empty()
  if (is.null(which)) {
    return(object$coefficients)
  }
  which <- way_of(object, which, rlang::current_env())
  stats::setNames(object$estimates[[paste0(which, "_estimate")]], object$estimates$term)
}

#' @rdname imagesasdata_regression
#' @importFrom stats vcov
#' @export
vcov.imagesasdata_regression <- function(object, which = NULL, complete = TRUE, ...) {
  rlang::check_dots_empty()
  which <- way_of(object, which, rlang::current_env())
  rows <- object$covariance$which == which
  terms <- object$metrics$term
  matrix(unlist(object$covariance[rows, -(1:2)]), length(terms), dimnames = list(terms, terms))
}

#' @rdname imagesasdata_regression
#' @importFrom stats confint
#' @export
confint.imagesasdata_regression <- function(object, parm, level = object$facts$conf_level, which = NULL, ...) {
  rlang::check_dots_empty()
  half <- quantile_of(level, "level", rlang::current_env()) * sqrt(diag(stats::vcov(object, which)))
  estimate <- stats::coef(object, which)
  ends <- 0.5 + c(-1, 1) * level / 2
  columns <- paste(format(100 * ends, trim = TRUE, scientific = FALSE, digits = 3), "%")
  found <- matrix(c(estimate - half, estimate + half), ncol = 2, dimnames = list(names(estimate), columns))
  if (missing(parm)) found else found[parm, , drop = FALSE]
}

# Of the normal distribution, for intervals of a level.
quantile_of <- function(level, argument, call) {
  if (!rlang::is_scalar_double(level) || !isTRUE(level > 0 && level < 1)) {
    text <- "`%s` is %s; it must be a number between 0 and 1, such as 0.95."
    abort("argument_invalid", sprintf(text, argument, rlang::as_label(level)), call)
  }
  stats::qnorm(0.5 + level / 2)
}

# nolint start: object_name_linter.
#' @rdname imagesasdata_regression
#' @importFrom stats nobs
#' @export
nobs.imagesasdata_regression <- function(object, use.fallback = FALSE, ...) {
  rlang::check_dots_empty()
  object$facts$nobs
}
# nolint end

#' @rdname imagesasdata_regression
#' @importFrom stats df.residual
#' @export
df.residual.imagesasdata_regression <- function(object, ...) {
  rlang::check_dots_empty()
  Inf
}

#' @rdname imagesasdata_regression
#' @importFrom stats family
#' @export
family.imagesasdata_regression <- function(object, ...) {
  rlang::check_dots_empty()
  switch(
    object$facts$family,
    gaussian = stats::gaussian(),
    binomial = stats::binomial(),
    poisson = stats::poisson(),
    negbin = negative_binomial(object$coefficients[["alpha"]])
  )
}

# With the parts that predictions need.
negative_binomial <- function(alpha) {
  link <- stats::make.link("log")
  own <- list(
    family = "negbin",
    link = "log",
    variance = function(mu) mu + alpha * mu^2,
    validmu = function(mu) all(mu > 0)
  )
  structure(c(own, link[c("linkfun", "linkinv", "mu.eta", "valideta")]), class = "family")
}

#' @rdname imagesasdata_regression
#' @export
predict.imagesasdata_regression <- function(
  object,
  newdata,
  type = c("link", "response"),
  interval = c("none", "confidence"),
  level = object$facts$conf_level,
  ...
) {
  rlang::check_dots_empty()
  type <- rlang::arg_match(type)
  interval <- rlang::arg_match(interval)
  call <- rlang::current_env()
  if (!is.null(object$absorb)) {
    text <- "A model with `absorb` does not know the intercepts of its groups, so it predicts nothing."
    abort("argument_invalid", text, call)
  }
  if (missing(newdata)) {
    abort("argument_invalid", "`newdata` is missing; the model does not keep its data.", call)
  }
  check_data_frame(newdata, "newdata", call)
  terms <- stats::delete.response(object$terms)
  frame <- stats::model.frame(terms, as.data.frame(newdata), na.action = stats::na.pass, xlev = object$xlevels)
  stats::.checkMFClasses(attr(terms, "dataClasses"), frame)
  x <- stats::model.matrix(terms, frame, contrasts.arg = object$contrasts)
  own <- seq_len(ncol(x))
  predicted <- drop(x %*% object$coefficients[own])
  if (interval == "confidence") {
    half <- quantile_of(level, "level", call) * sqrt(rowSums((x %*% stats::vcov(object)[own, own, drop = FALSE]) * x))
    predicted <- cbind(fit = predicted, lwr = predicted - half, upr = predicted + half)
  }
  if (type == "link") predicted else stats::family(object)$linkinv(predicted)
}

# nolint start: object_name_linter, object_length_linter.
#' @rdname imagesasdata_regression
#' @exportS3Method generics::tidy
tidy.imagesasdata_regression <- function(
  x,
  conf.int = TRUE,
  conf.level = x$facts$conf_level,
  exponentiate = FALSE,
  which = NULL,
  ...
) {
  rlang::check_dots_empty()
  call <- rlang::current_env()
  way <- way_of(x, which, call)
  estimate <- stats::coef(x, which)
  std_error <- sqrt(diag(stats::vcov(x, way)))
  statistic <- unname(estimate / std_error)
  columns <- list(
    term = names(estimate),
    estimate = unname(estimate),
    std.error = unname(std_error),
    statistic = statistic,
    p.value = 2 * stats::pnorm(-abs(statistic))
  )
  if (conf.int) {
    half <- quantile_of(conf.level, "conf.level", call) * columns$std.error
    columns <- c(columns, list(conf.low = columns$estimate - half, conf.high = columns$estimate + half))
  }
  if (exponentiate) {
    if (x$facts$family == "gaussian") {
      warn("The coefficients of a linear model are exponentiated; they are no logarithms of ratios.", call)
    }
    coefficients <- columns$term != "alpha" | x$facts$family != "negbin"
    for (column in intersect(c("estimate", "conf.low", "conf.high"), names(columns))) {
      columns[[column]][coefficients] <- exp(columns[[column]][coefficients])
    }
  }
  as_table(columns, length(estimate))
}
# nolint end

#' @rdname imagesasdata_regression
#' @export
summary.imagesasdata_regression <- function(object, ...) {
  rlang::check_dots_empty()
  tidied <- tidy.imagesasdata_regression(object, conf.int = FALSE)
  coefficients <- as.matrix(as.data.frame(tidied[-1]))
  dimnames(coefficients) <- list(tidied$term, c("Estimate", "Std. Error", "z value", "Pr(>|z|)"))
  kept <- object[c("call", "facts", "lines", "notes")]
  structure(c(kept, list(coefficients = coefficients)), class = "summary.imagesasdata_regression")
}

way_words <- c(
  naive = "predictions taken for labels",
  labels = "hand labels alone",
  corrected = "corrected for the errors of the predictions"
)

# nolint start: object_length_linter.
#' @export
format.summary.imagesasdata_regression <- function(x, digits = max(3, getOption("digits") - 3), ...) {
  coefficients <- utils::capture.output(stats::printCoefmat(x$coefficients, digits = digits))
  errors <- if (is.null(x$facts$n_clusters)) "robust standard errors" else "standard errors by cluster"
  c(
    "Call:",
    deparse(x$call),
    "",
    cli::style_bold(x$lines[[1]]),
    "",
    sprintf("Coefficients, %s; %s:", way_words[[x$facts$chosen]], errors),
    coefficients,
    "",
    "Side by side, with standard errors in brackets:",
    x$lines[-1],
    if (length(x$notes) > 0) c("", note_lines(x$notes))
  )
}

#' @export
print.summary.imagesasdata_regression <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}
# nolint end
