# nolint start: object_usage_linter. They are in helper-regress.R.
fitted_posts <- function(formula, ..., data = labelled_posts()) quick(formula, data, sampling_prob = "chosen", ...)
# nolint end

# With all rows labelled there is nothing to correct.
test_that("with all rows labelled it is lm() and glm() with the standard errors of sandwich", {
  skip_without_python()
  skip_if_not_installed("sandwich")
  posts <- transform(labelled_posts(), protest = coded)
  precise <- stats::glm.control(epsilon = 1e-14)
  same <- function(found, fit, cluster = NULL) {
    expect_equal(coef(found), coef(fit), tolerance = 1e-8)
    robust <- sandwich::vcovHC(fit, type = "HC1")
    expected <- if (is.null(cluster)) robust else sandwich::vcovCL(fit, cluster, type = "HC1")
    expect_equal(vcov(found), expected, tolerance = 1e-6, ignore_attr = c("cadjust", "type"))
  }
  same(fitted_posts(likes ~ protest * x + city), lm(likes ~ protest * x + city, posts))
  same(fitted_posts(likes ~ protest + x, weights = "weight"), lm(likes ~ protest + x, posts, weights = weight))
  same(fitted_posts(likes ~ protest + x, cluster = "account"), lm(likes ~ protest + x, posts), posts$account)
  logit <- glm(shared ~ protest * x + city, binomial, posts, control = precise)
  same(fitted_posts(shared ~ protest * x + city, family = "binomial"), logit)
  same(fitted_posts(shared ~ protest * x + city, family = "binomial", cluster = "account"), logit, posts$account)
  counts <- glm(retweets ~ protest * x + city, poisson, posts, control = precise)
  same(fitted_posts(retweets ~ protest * x + city, family = "poisson"), counts)
  same(fitted_posts(retweets ~ protest * x + city, family = "poisson", cluster = "account"), counts, posts$account)
  # a predicted outcome
  predicted <- glm(protest ~ x, binomial, posts, control = precise)
  same(fitted_posts(protest ~ x, family = "binomial"), predicted)
  # fixed effects, with those of lm()
  within <- fitted_posts(likes ~ protest + x, absorb = "account")
  dummies <- lm(likes ~ protest + x + factor(account), posts)
  expect_equal(coef(within), coef(dummies)[2:3], tolerance = 1e-8)
  expect_equal(vcov(within), sandwich::vcovHC(dummies, type = "HC1")[2:3, 2:3], tolerance = 1e-6)
})

# MASS and sandwich take alpha (1 / theta) for known and the expected information of the coefficients for the bread.
# Here alpha is a parameter and the information is the observed one, so that the covariance is compared part by part:
# coefficients and alpha, the scores in the middle, and the information, which is the curvature of the likelihood.
test_that("with all rows labelled a negative binomial model is that of MASS", {
  skip_without_python()
  skip_if_not_installed("MASS")
  skip_if_not_installed("sandwich")
  posts <- transform(labelled_posts(), protest = coded)
  found <- fitted_posts(comments ~ protest * x + city, family = "negbin")
  fit <- MASS::glm.nb(comments ~ protest * x + city, posts, control = glm.control(epsilon = 1e-14, maxit = 100))
  expect_equal(coef(found)[1:6], coef(fit), tolerance = 1e-6)
  expect_equal(coef(found)[["alpha"]], 1 / fit$theta, tolerance = 1e-6)

  x <- model.matrix(fit)
  n <- nrow(x)
  y <- posts$comments
  a <- fit$theta
  mu <- fitted(fit)
  for_alpha <- -a^2 * (digamma(y + a) - digamma(a) + log(a / (a + mu)) + 1 - (y + a) / (a + mu))
  minus_log_likelihood <- function(beta) {
    -sum(dnbinom(y, mu = exp(drop(x %*% beta[1:6])), size = 1 / beta[7], log = TRUE))
  }
  observed <- optimHess(c(coef(fit), 1 / a), minus_log_likelihood, control = list(ndeps = rep(1e-4, 7)))
  middle <- crossprod(cbind(sandwich::estfun(fit), alpha = for_alpha))
  bread <- solve(observed)
  expect_equal(vcov(found), n / (n - 7) * bread %*% middle %*% bread, tolerance = 1e-4, ignore_attr = TRUE)
  exact <- solve(vcov(found) * (n - 7) / n)
  # From the information times the covariance times the information, the middle comes back as sandwich has it.
  information <- crossprod(x, x * (mu * (1 + y / a) / (1 + mu / a)^2))
  cross <- crossprod(x, mu * (y - mu) / (1 + mu / a)^2)
  last <- observed[7, 7]
  whole <- rbind(cbind(information, cross), c(cross, last))
  expect_equal(whole[1:6, 1:6], observed[1:6, 1:6], tolerance = 1e-5, ignore_attr = TRUE)
  back <- whole %*% solve(exact) %*% whole
  expect_equal(back[1:6, 1:6], crossprod(sandwich::estfun(fit)), tolerance = 1e-5, ignore_attr = TRUE)
  # So the standard errors are near those of sandwich, and no more.
  ratio <- sqrt(diag(vcov(found))[1:6] / diag(sandwich::vcovHC(fit, type = "HC1")))
  expect_true(all(abs(ratio - 1) < 0.1))
})

test_that("R's formula language holds", {
  skip_without_python()
  posts <- labelled_posts()
  posts$protest <- posts$coded
  posts$rank <- factor(cut(posts$z, 3, labels = c("low", "middle", "high")), ordered = TRUE)
  posts$space <- cbind(a = posts$x, b = posts$z)
  outside <- sqrt(posts$z)
  center <- function(x) x - mean(x)
  formulas <- list(
    likes ~ poly(x, 2) + protest,
    log(z) ~ protest + I(x^2) + city:x,
    likes ~ factor(protest) * city,
    likes ~ 0 + city + protest:x,
    likes ~ C(city, contr.sum) + protest,
    likes ~ rank + I(protest * x),
    likes ~ splines::ns(x, 3) + I(1 - protest),
    likes ~ (protest + x + z)^2 - x:z,
    likes ~ protest + outside + center(x),
    likes ~ protest %in% 1 + scale(z),
    likes ~ protest + space,
    posts$likes ~ protest + rep(0:1, 200),
    I(likes > 0) ~ protest + cut(x, c(-Inf, 0, Inf))
  )
  # Predictions without error, so that poly() and scale() of the predictions are those of the labels.
  for (formula in formulas) {
    found <- quick(formula, posts, c(protest = "coded"), c(protest = "coded"))
    expect_equal(coef(found), coef(lm(formula, posts)), tolerance = 1e-8, label = deparse1(formula))
  }
  scores <- transform(posts, predicted = x)
  found <- quick(likes ~ poly(attention, 2), scores, c(attention = "predicted"), c(attention = "x"))
  expect_equal(coef(found), coef(lm(likes ~ poly(x, 2), posts)), tolerance = 1e-8, ignore_attr = TRUE)
})

test_that("the hand labels say of what kind a variable is, and the first level is left out", {
  skip_without_python()
  posts <- labelled_posts(labels = 200)
  numbers <- quick(likes ~ protest * x, posts, sampling_prob = "chosen")
  posts$yes <- posts$coded == 1
  logical <- quick(likes ~ protest * x, posts, labelled = c(protest = "yes"), sampling_prob = "chosen")
  expect_named(coef(logical), c("(Intercept)", "protestTRUE", "x", "protestTRUE:x"))
  expect_equal(unname(coef(logical)), unname(coef(numbers)), tolerance = 1e-12)
  expect_equal(unname(vcov(logical)), unname(vcov(numbers)), tolerance = 1e-12)

  posts$event <- factor(ifelse(posts$yes, "protest", "other"), c("protest", "other"))
  posts$label <- factor(ifelse(posts$predicted == 1, "protest", "other"))
  levels <- quick(likes ~ protest * x, posts, c(protest = "label"), c(protest = "event"), sampling_prob = "chosen")
  expect_named(coef(levels), c("(Intercept)", "protestother", "x", "protestother:x"))
  expect_equal(coef(levels)[["protestother"]], -coef(numbers)[["protest"]], tolerance = 0.05)

  posts$prob_protest <- ifelse(posts$predicted == 1, 0.8, 0.3)
  text <- quick(likes ~ protest, posts, c(protest = "prob_protest"), c(protest = "event"), sampling_prob = "chosen")
  same <- quick(likes ~ protest, posts, c(protest = "prob_protest"), sampling_prob = "chosen")
  expect_equal(coef(text), coef(same), tolerance = 1e-12)

  # 0 and 1 as a factor, and with labels, as haven reads them from Stata
  posts$stata <- structure(
    posts$coded,
    labels = c(no = 0, yes = 1),
    class = c("haven_labelled", "vctrs_vctr", "double")
  )
  stata <- quick(likes ~ protest * x, posts, labelled = c(protest = "stata"), sampling_prob = "chosen")
  expect_identical(coef(stata), coef(numbers))
  posts$digits <- factor(posts$coded, c(1, 0))
  digits <- quick(likes ~ protest * x, posts, labelled = c(protest = "digits"), sampling_prob = "chosen")
  expect_equal(coef(digits)[["protest0"]], -coef(numbers)[["protest"]])

  # an outcome that is a factor: its first level is 0
  posts$kind <- factor(ifelse(posts$shared == 1, "yes", "no"), c("no", "yes"))
  expect_equal(
    coef(quick(kind ~ protest, posts, sampling_prob = "chosen", family = "binomial")),
    coef(quick(shared ~ protest, posts, sampling_prob = "chosen", family = "binomial"))
  )
  outcome <- quick(protest ~ x, posts, labelled = c(protest = "yes"), sampling_prob = "chosen", family = "binomial")
  expect_equal(coef(outcome), coef(quick(protest ~ x, posts, sampling_prob = "chosen", family = "binomial")))
})

test_that("a category has a column for each class but the first", {
  skip_without_python()
  withr::local_seed(3)
  posts <- labelled_posts(labels = 300)
  classes <- c("march", "riot", "vigil")
  truth <- sample(classes, nrow(posts), TRUE)
  posts$likes <- posts$likes + match(truth, classes)
  posts$event <- factor(ifelse(is.na(posts$coded), NA, truth), c("vigil", "march", "riot"))
  posts[paste0("prob_", classes)] <- outer(truth, classes, function(a, b) ifelse(a == b, 0.8, 0.1))
  wrong <- runif(nrow(posts)) < 0.1
  posts[wrong, paste0("prob_", classes)] <- rep(c(0.2, 0.2, 0.6), each = sum(wrong))
  columns <- list(event = paste0("prob_", classes))
  found <- quick(likes ~ event + x, posts, columns, c(event = "event"), sampling_prob = "chosen")
  expect_named(coef(found), c("(Intercept)", "eventmarch", "eventriot", "x"))
  expect_true(all(abs(coef(found)[2:3] - c(-2, -1)) < 4 * sqrt(diag(vcov(found)))[2:3]))
  expect_identical(found$accuracy$metric, "accuracy")
  expect_identical(found$xlevels, list(event = c("vigil", "march", "riot")))
  new <- data.frame(event = c("riot", "vigil"), x = 0)
  expect_equal(diff(predict(found, new)), -coef(found)[["eventriot"]], ignore_attr = TRUE)
})

test_that("whole numbers are a category where the formula or the labels make a factor of them", {
  skip_without_python()
  withr::local_seed(4)
  posts <- data.frame(faces = sample(0:3, 900, TRUE), x = rnorm(900), chosen = 1 / 3)
  posts$likes <- posts$faces^2 + posts$x + rnorm(900)
  posts$seen <- pmin(ifelse(runif(900) < 0.8, posts$faces, sample(0:3, 900, TRUE)), 2)
  columns <- c(faces = "seen")
  whole <- quick(likes ~ factor(faces) * x, posts, columns, c(faces = "faces"))
  expect_equal(coef(whole), coef(lm(likes ~ factor(faces) * x, posts)), tolerance = 1e-8)

  posts$coded <- ifelse(seq_len(900) %% 3 == 0, posts$faces, NA)
  posts$level <- factor(posts$coded)
  posts$text <- as.character(posts$coded)
  posts$stata <- structure(posts$coded, labels = c(none = 0), class = c("haven_labelled", "vctrs_vctr", "double"))
  by_formula <- quick(likes ~ factor(faces), posts, columns, c(faces = "coded"), sampling_prob = "chosen")
  expect_named(coef(by_formula), c("(Intercept)", paste0("factor(faces)", 1:3)))
  expect_true(all(abs(coef(by_formula)[-1] - c(1, 4, 9)) < 4 * sqrt(diag(vcov(by_formula)))[-1]))
  for (labels in c("level", "text")) {
    by_labels <- quick(likes ~ faces, posts, columns, c(faces = labels), sampling_prob = "chosen")
    expect_equal(coef(by_labels), coef(by_formula), ignore_attr = TRUE)
    expect_named(coef(by_labels), c("(Intercept)", paste0("faces", 1:3)))
  }
  stata <- quick(likes ~ factor(faces), posts, columns, c(faces = "stata"), sampling_prob = "chosen")
  expect_equal(coef(stata), coef(by_formula))
  posts$seen <- posts$seen + 0.37
  expect_error(
    quick(likes ~ factor(faces), posts, columns, c(faces = "coded")),
    "0.37 is none",
    class = "imagesasdata_labels_invalid"
  )
})

test_that("empty text is not coded, and text of 0 and 1 is numbers beside numbers", {
  skip_without_python()
  posts <- labelled_posts(labels = 200)
  numbers <- quick(likes ~ protest, posts, sampling_prob = "chosen")
  posts$prob_yes <- ifelse(posts$predicted == 1, 0.8, 0.3)
  posts$word <- ifelse(is.na(posts$coded), "", ifelse(posts$coded == 1, "yes", "no"))
  posts$words <- factor(posts$word)
  posts$seen <- ifelse(posts$predicted == 1, "yes", "no")
  for (labels in c("word", "words")) {
    found <- quick(likes ~ protest, posts, c(protest = "prob_yes"), c(protest = labels), sampling_prob = "chosen")
    expect_identical(nobs(found), 400L)
    expect_identical(found$facts$n_labelled, 200L)
    expect_equal(coef(found), coef(numbers), tolerance = 1e-8)
    both <- quick(likes ~ protest, posts, c(protest = "seen"), c(protest = labels), sampling_prob = "chosen")
    expect_identical(both$facts$n_labelled, 200L)
    expect_named(coef(both), c("(Intercept)", "protestyes"))
  }
  share <- estimate_share(posts, c(it = "prob_yes"), c(it = "word"), sampling_prob = "chosen", repeats = 1)
  expect_identical(share$facts$n_labelled, 200L)

  posts$digits <- factor(posts$predicted)
  posts$logical <- as.character(posts$predicted == 1)
  posts$yes <- posts$coded == 1
  for (predictions in c("digits", "logical")) {
    found <- quick(likes ~ protest, posts, c(protest = predictions), sampling_prob = "chosen")
    expect_equal(coef(found), coef(numbers), tolerance = 1e-12)
    found <- quick(likes ~ protest, posts, c(protest = predictions), c(protest = "yes"), sampling_prob = "chosen")
    expect_equal(coef(found)[["protestTRUE"]], coef(numbers)[["protest"]], tolerance = 1e-12)
  }
  expect_error(
    quick(likes ~ protest, posts, c(protest = "seen")),
    "are 0, 1; the predictions in \"seen\" are no, yes",
    class = "imagesasdata_labels_invalid"
  )
})

test_that("rows with missing values are left out as lm() does, and it is said", {
  skip_without_python()
  posts <- transform(labelled_posts(), protest = coded)
  posts$x[3:7] <- NA
  posts$likes[9] <- NaN
  outside <- posts$z
  outside[11] <- NA
  expect_warning(
    found <- regress(likes ~ protest + x + outside, posts, c(protest = "predicted"), c(protest = "coded"), repeats = 2),
    "7 row(s) with missing values",
    fixed = TRUE,
    class = "imagesasdata_warning"
  )
  expect_identical(nobs(found), 393L)
  expect_equal(coef(found), coef(lm(likes ~ protest + x + outside, posts)), tolerance = 1e-8)
})

test_that("errors of R in the formula are R's errors", {
  skip_without_python()
  posts <- labelled_posts()
  failing <- function(x) stop(structure(class = c("own", "error", "condition"), list(message = "mine", call = NULL)))
  expect_error(quick(likes ~ protest + failing(x), posts), "^mine$", class = "own")
  expect_error(quick(likes ~ protest + x(3), posts), "could not find function", class = "simpleError")
  cause <- rlang::catch_cnd(quick(cbind(likes, x) ~ protest, posts))
  expect_s3_class(cause, "imagesasdata_argument_invalid")
  expect_identical(rlang::call_name(conditionCall(cause)), "regress")
})

test_that("what has no estimate is a condition of its own class", {
  skip_without_python()
  posts <- labelled_posts(labels = 200)
  failed <- function(class, formula = likes ~ protest, data = posts, ...) {
    expect_error(quick(formula, data, ...), class = paste0("imagesasdata_", class))
  }
  failed("columns_collinear", likes ~ protest + x + I(2 * x))
  failed("probability_invalid", data = transform(posts, chosen = 0), sampling_prob = "chosen")
  failed("probability_invalid", data = transform(posts, chosen = 1.2), sampling_prob = "chosen")
  failed("outcome_invalid", shared ~ protest, transform(posts, shared = 1), family = "binomial")
  failed("outcome_invalid", likes ~ protest, family = "poisson")
  failed("separation_found", I(x > 0) ~ protest + x, family = "binomial")
  failed("no_overdispersion", shared ~ protest, family = "negbin")
  failed("too_few_labels", data = transform(posts, coded = NA_real_))
  failed("labels_invalid", data = transform(posts, coded = ifelse(is.na(coded), NA, "yes")))
  failed("argument_invalid", likes ~ protest + nowhere)
  failed("argument_invalid", likes ~ x)
  failed("argument_invalid", likes ~ protest + log(abs(round(x))))
  failed("argument_invalid", family = "gamma")
  failed("argument_invalid", method = "ols")
  failed("argument_invalid", method = "ppi")
  failed("argument_invalid", labelled = c(protest = "nowhere"))
  failed("argument_invalid", labelled = c(riot = "coded"))
  failed("argument_invalid", conf_level = 95)
  failed("argument_invalid", sampling_prob = "city")
})

test_that("what the user should know is a warning", {
  skip_without_python()
  posts <- labelled_posts(labels = 60)
  warned <- function(text, data = posts, ...) {
    conditions <- list()
    withCallingHandlers(
      regress(likes ~ protest, data, c(protest = "predicted"), c(protest = "coded"), repeats = 2, ...),
      imagesasdata_warning = function(cnd) {
        conditions[[length(conditions) + 1]] <<- cnd
        rlang::cnd_muffle(cnd)
      }
    )
    expect_match(vapply(conditions, conditionMessage, ""), text, fixed = TRUE, all = FALSE)
  }
  warned("taken to be a simple random sample")
  never <- transform(posts, predicted = 0)
  warned("never predicted to be 1", never, sampling_prob = "chosen")
  alone <- transform(posts, account = seq_along(account))
  warned("have one row", alone, cluster = "account")
  warned("have no prediction", transform(posts, predicted = replace(predicted, 5, NA)))
  warned("right in all 60 labelled rows", transform(posts, predicted = ifelse(is.na(coded), predicted, coded)))
  learnt <- structure(posts, imagesasdata = list(cross_validated_accuracy = c(0.6, 0.5, 0.7)))
  warned("has probably learnt from these rows", learnt)
  warned("are labelled for 2 coefficients", transform(posts, coded = replace(coded, 21:60, NA)))
})

test_that("it is the same after saveRDS(), in a session without Python too", {
  skip_without_python()
  formula <- likes ~ protest * city
  environment(formula) <- globalenv()
  found <- quick(formula, labelled_posts(labels = 200), sampling_prob = "chosen")
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(found, file)
  again <- readRDS(file)
  expect_equal(again, found)
  new <- data.frame(protest = 1, city = "Oslo")
  expect_identical(predict(again, new), predict(found, new))
  there <- in_new_session(
    function(file, new) {
      loadNamespace("imagesasdata")
      found <- readRDS(file)
      list(predict(found, new), stats::vcov(found), format(summary(found)), reticulate::py_available())
    },
    file,
    new,
    env = no_python
  )
  expect_equal(there[1:2], list(predict(found, new), vcov(found)))
  expect_false(there[[4]])
})

test_that("lmtest finds what it needs", {
  skip_without_python()
  skip_if_not_installed("lmtest")
  found <- quick(comments ~ protest + x, labelled_posts(labels = 200), sampling_prob = "chosen", family = "negbin")
  table <- lmtest::coeftest(found)
  expect_identical(attr(table, "method"), "z test of coefficients")
  expect_equal(table[, 1:4], coef(summary(found)), ignore_attr = TRUE)
  expect_equal(unclass(lmtest::coefci(found)), confint(found), ignore_attr = TRUE)
  labels <- lmtest::coeftest(found, vcov. = vcov(found, "labels"))
  expect_equal(labels[, 2], sqrt(diag(vcov(found, "labels"))))
})

test_that("predictions are those of glm() where all is labelled", {
  skip_without_python()
  posts <- transform(labelled_posts(), protest = coded)
  fit <- glm(retweets ~ protest * poly(x, 2) + city, poisson, posts, control = glm.control(epsilon = 1e-14))
  found <- quick(formula(fit), posts, c(protest = "coded"), c(protest = "coded"), family = "poisson")
  new <- posts[c(5, 1, 60), c("protest", "x", "city")]
  expect_equal(predict(found, new), predict(fit, new), tolerance = 1e-8)
  expect_equal(predict(found, new, "response"), predict(fit, new, "response"), tolerance = 1e-8)
  expect_error(predict(found, transform(new, city = "Bonn")), "new level")
  expect_error(predict(found, transform(new, protest = TRUE)), "fitted with type")
})

test_that("only the columns that are needed go to Python", {
  skip_without_python()
  posts <- labelled_posts(labels = 200)
  plain <- quick(likes ~ protest, posts, sampling_prob = "chosen")
  posts$words <- as.list(seq_len(nrow(posts)))
  posts$when <- as.POSIXlt("2020-06-01") + seq_len(nrow(posts))
  expect_equal(coef(quick(likes ~ protest, posts, sampling_prob = "chosen")), coef(plain))
})
