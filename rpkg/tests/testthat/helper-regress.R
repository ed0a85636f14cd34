# Posts of which some were labelled by hand, and a classifier that is right in 85 percent of them.
labelled_posts <- function(n = 400, labels = n) {
  withr::local_seed(2)
  posts <- data.frame(
    x = stats::rnorm(n),
    z = stats::runif(n, 1, 5),
    city = factor(sample(c("Rome", "Oslo", "Lima"), n, TRUE), c("Rome", "Oslo", "Lima")),
    account = rep(seq_len(n / 8), 8),
    weight = stats::runif(n, 0.5, 2)
  )
  posts$coded <- stats::rbinom(n, 1, stats::plogis(posts$x / 2))
  posts$predicted <- ifelse(stats::runif(n) < 0.85, posts$coded, 1 - posts$coded)
  eta <- 0.2 + 0.5 * posts$coded + 0.4 * posts$x + stats::rnorm(n / 8)[posts$account] / 2
  posts$likes <- eta + stats::rnorm(n)
  posts$shared <- stats::rbinom(n, 1, stats::plogis(eta))
  posts$retweets <- stats::rpois(n, exp(eta))
  posts$comments <- stats::rnbinom(n, mu = exp(eta), size = 2)
  posts$coded[seq_len(n) > labels] <- NA
  posts$chosen <- labels / n
  posts
}

quick <- function(formula, data, predicted = c(protest = "predicted"), labelled = c(protest = "coded"), ...) {
  suppressWarnings(regress(formula, data, predicted, labelled, repeats = 2, ...), classes = "imagesasdata_warning")
}

# As regress() returns it, of two terms; reckoned in R.
# nolint start: object_usage_linter. They are in helper-findings.R and in the package.
fake_regression <- function(estimate = c("(Intercept)" = 1, protest = 0.5), chosen = "corrected") {
  terms <- names(estimate)
  cells <- list(naive = estimate - 0.2, labels = estimate + 0.1, corrected = estimate)
  covariances <- list(naive = diag(2) / 400, labels = diag(2) / 16, corrected = matrix(c(0.04, 0.01, 0.01, 0.09), 2))
  side_by_side <- data.frame(term = terms)
  for (way in names(cells)) {
    error <- sqrt(diag(covariances[[way]]))
    half <- stats::qnorm(0.975) * error
    columns <- list(cells[[way]], error, cells[[way]] - half, cells[[way]] + half)
    side_by_side[paste0(way, c("_estimate", "_std_error", "_conf_low", "_conf_high"))] <- lapply(columns, unname)
  }
  stacked <- as.data.frame(do.call(rbind, covariances))
  metrics <- side_by_side[c("term", paste0(chosen, c("_estimate", "_std_error", "_conf_low", "_conf_high")))]
  names(metrics) <- c("term", "estimate", "std_error", "conf_low", "conf_high")
  tables <- list(
    metrics = metrics,
    estimates = side_by_side,
    covariance = cbind(
      data.frame(which = rep(names(cells), each = 2), term = terms),
      stats::setNames(stacked, paste0("cov_", terms))
    ),
    accuracy = data.frame(variable = "protest", metric = "accuracy", estimate = 0.85, n = 100)
  )
  facts <- list(
    family = "binomial",
    method = "dsl",
    chosen = chosen,
    nobs = 400L,
    n_labelled = 100L,
    n_clusters = NULL,
    conf_level = 0.95
  )
  lines <- c("Regression of some rows", "term   predictions", "protest  0.300 (0.050)")
  found <- as_findings(fake_findings(tables, facts, "regression", lines, "Few labels."))
  frame <- stats::model.frame(shared ~ protest, data.frame(shared = c(0, 1), protest = c(1, 0)))
  model <- list(call = quote(regress(shared ~ protest)), formula = shared ~ protest, absorb = NULL)
  regression_of(found, c(model, list(terms = stats::terms(frame), xlevels = NULL, contrasts = NULL)))
}
# nolint end
