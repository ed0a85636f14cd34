test_that("coefficients, covariance and intervals are those of the method that was asked for, or of another", {
  local_fake_python()
  found <- fake_regression()
  expect_s3_class(found, c("imagesasdata_regression", "imagesasdata_findings"), exact = TRUE)
  expect_identical(coef(found), c("(Intercept)" = 1, protest = 0.5))
  expect_equal(coef(found, "naive"), c("(Intercept)" = 0.8, protest = 0.3))
  names <- list(c("(Intercept)", "protest"), c("(Intercept)", "protest"))
  expect_identical(vcov(found), matrix(c(0.04, 0.01, 0.01, 0.09), 2, dimnames = names))
  expect_identical(vcov(found, "labels"), matrix(c(1, 0, 0, 1) / 16, 2, dimnames = names))
  # the normal quantile for 95 percent
  expected <- 0.5 + c(-1, 1) * 1.959963985 * 0.3
  expect_equal(confint(found, "protest"), matrix(expected, 1, dimnames = list("protest", c("2.5 %", "97.5 %"))))
  expect_identical(colnames(confint(found, level = 0.9)), c("5 %", "95 %"))
  expect_equal(confint(found, 2, which = "naive")[1, ], 0.3 + c(-1, 1) * 1.959963985 / 20, ignore_attr = TRUE)
  expect_snapshot(error = TRUE, vcov(found, "dsl"))
})

test_that("tidy and glance have broom's names", {
  skip_if_not_installed("generics")
  local_fake_python()
  found <- fake_regression()
  tidied <- generics::tidy(found)
  expect_named(tidied, c("term", "estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high"))
  expect_equal(tidied$std.error, c(0.2, 0.3))
  expect_equal(tidied$p.value, 2 * pnorm(-c(5, 5 / 3)))
  expect_equal(tidied$conf.low, unname(confint(found)[, 1]))
  expect_named(generics::tidy(found, conf.int = FALSE), names(tidied)[1:5])
  expect_equal(generics::tidy(found, conf.level = 0.5)$conf.high, unname(confint(found, level = 0.5)[, 2]))
  expect_equal(generics::tidy(found, which = "labels")$std.error, c(0.25, 0.25))
  row <- generics::glance(found)
  expect_identical(row$nobs, 400L)
  expect_identical(row$n_clusters, NA)
})

test_that("exponentiated are the coefficients and their limits, as broom does it, and not alpha", {
  skip_if_not_installed("generics")
  local_fake_python()
  found <- fake_regression()
  plain <- generics::tidy(found)
  ratios <- generics::tidy(found, exponentiate = TRUE)
  expect_identical(ratios$estimate, exp(plain$estimate))
  expect_identical(ratios$conf.low, exp(plain$conf.low))
  expect_identical(ratios$conf.high, exp(plain$conf.high))
  expect_identical(ratios[c("std.error", "p.value")], plain[c("std.error", "p.value")])
  expect_identical(generics::tidy(found, conf.int = FALSE, exponentiate = TRUE)$estimate, exp(plain$estimate))
  counts <- fake_regression(c(protest = 1, alpha = 0.5))
  counts$facts$family <- "negbin"
  expect_identical(generics::tidy(counts, exponentiate = TRUE)$estimate, c(exp(1), 0.5))
  found$facts$family <- "gaussian"
  expect_warning(generics::tidy(found, exponentiate = TRUE), "linear model", class = "imagesasdata_warning")
})

test_that("intervals of predictions are those of predict.lm(), by the covariance and the normal distribution", {
  local_fake_python()
  found <- fake_regression()
  new <- data.frame(protest = 0:1 + 0)
  # the variance of 1 + 0.5 x is 0.04 + 2 x 0.01 + 0.09 x^2
  half <- stats::qnorm(0.975) * sqrt(c(0.04, 0.15))
  expected <- cbind(fit = c(1, 1.5), lwr = c(1, 1.5) - half, upr = c(1, 1.5) + half)
  expect_equal(predict(found, new, interval = "confidence"), expected, ignore_attr = TRUE)
  expect_identical(colnames(predict(found, new, interval = "confidence")), c("fit", "lwr", "upr"))
  expect_equal(predict(found, new, "response", "confidence"), stats::plogis(expected), ignore_attr = TRUE)
  narrow <- predict(found, new, interval = "confidence", level = 0.5)
  expect_equal(narrow[, "upr"], c(1, 1.5) + stats::qnorm(0.75) * sqrt(c(0.04, 0.15)), ignore_attr = TRUE)
  expect_error(predict(found, new, interval = "prediction"), "interval")
})

test_that("a level that is none, or an argument that there is not, is an error", {
  skip_if_not_installed("generics")
  local_fake_python()
  found <- fake_regression()
  new <- data.frame(protest = 1)
  expect_snapshot(error = TRUE, {
    confint(found, level = 95)
    generics::tidy(found, conf.level = 0)
    predict(found, new, interval = "confidence", level = NA)
  })
  unknown <- function(code) expect_error(code, class = "rlib_error_dots_nonempty")
  unknown(coef(found, of = "naive"))
  unknown(vcov(found, type = "HC3"))
  unknown(confint(found, conf.level = 0.9))
  unknown(nobs(found, which = "labels"))
  unknown(df.residual(found, 1))
  unknown(family(found, 1))
  unknown(predict(found, new, se.fit = TRUE))
  unknown(generics::tidy(found, exponentiated = TRUE))
  unknown(summary(found, level = 0.9))
  # what other packages give
  expect_identical(vcov(found, complete = FALSE), vcov(found))
  expect_identical(coef(found, complete = FALSE), coef(found))
  expect_identical(nobs(found, use.fallback = TRUE), nobs(found))
})

test_that("the rest of what models answer", {
  local_fake_python()
  found <- fake_regression()
  expect_identical(nobs(found), 400L)
  expect_identical(df.residual(found), Inf)
  expect_identical(formula(found), found$formula)
  expect_identical(attr(terms(found), "term.labels"), "protest")
  expect_identical(family(found)$linkinv(0), 0.5)
  expect_equal(predict(found, data.frame(protest = 0:1 + 0)), c(1, 1.5), ignore_attr = TRUE)
  expect_equal(predict(found, data.frame(protest = 1), "response"), plogis(1.5), ignore_attr = TRUE)
  # Slopes by small changes of the coefficients, as marginaleffects makes them, need predictions that follow.
  found$coefficients[["protest"]] <- 2
  expect_equal(predict(found, data.frame(protest = 1)), 3, ignore_attr = TRUE)
  expect_identical(generics::tidy(found)$estimate, c(1, 2))
  expect_error(predict(found), class = "imagesasdata_argument_invalid")
  found["absorb"] <- "account"
  expect_error(predict(found, data.frame(protest = 1)), class = "imagesasdata_argument_invalid")
})

test_that("families have the links that the estimate uses", {
  expect_identical(
    family(structure(list(facts = list(family = "gaussian")), class = "imagesasdata_regression")),
    gaussian()
  )
  found <- structure(
    list(facts = list(family = "negbin"), coefficients = c(alpha = 0.5)),
    class = "imagesasdata_regression"
  )
  expect_equal(family(found)$variance(2), 4)
  expect_equal(family(found)$linkinv(log(3)), 3)
})

test_that("the summary has coefficients, the three estimates and the notes", {
  local_fake_python()
  found <- fake_regression()
  expect_identical(dim(coef(summary(found))), c(2L, 4L))
  expect_equal(coef(summary(found))["protest", "z value"], 5 / 3)
  expect_snapshot(summary(found))
  expect_snapshot(found)
})

test_that("a regression has one picture, with or without some of the estimates", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- fake_regression()
  expect_identical(pictures_of(found), "coefficients")
  picture <- ggplot2::autoplot(found)
  draws(picture)
  expect_identical(axis_labels(picture, "y"), "protest")
  expect_equal(legend_labels(picture), unname(way_names), ignore_attr = TRUE)
  found$estimates[paste0("labels", c("_estimate", "_std_error", "_conf_low", "_conf_high"))] <- NA_real_
  expect_equal(legend_labels(ggplot2::autoplot(found)), unname(way_names[c("naive", "corrected")]), ignore_attr = TRUE)
})
