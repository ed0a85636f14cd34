# Ask a design as Python does.
ask_design <- function(design, values) {
  got <- NULL
  design$ask(list(values = function() values, answer = function(table) got <<- table))
  got
}

# The matrices of a formula in which `protest` was predicted.
protest_design <- function(formula, label, data = labelled_posts(40), family = "gaussian") {
  read <- read_formula(formula, data, list(protest = "predicted"), rlang::current_env())
  formula_design(read$formula, read$columns, list(protest = label), family, rlang::current_env())
}

test_that("the matrix is model.matrix() with the values in place of the variable", {
  local_fake_python()
  data <- labelled_posts(40)
  design <- protest_design(likes ~ protest * city + log(z), data$coded, data)
  rows <- c(1:10, 15:30)
  got <- ask_design(design, data.frame(.row = rows, protest = data$predicted[rows]))
  filled <- transform(data[rows, ], protest = predicted)
  expected <- model.matrix(~ protest * city + log(z), filled)
  expect_identical(names(got), c("(outcome)", colnames(expected)))
  expect_equal(as.matrix(got[-1]), expected, ignore_attr = TRUE)
  expect_equal(got[[1]], filled$likes)
})

test_that("numbers of a transformation, levels and contrasts stay those of the first call", {
  local_fake_python()
  data <- labelled_posts(40)
  design <- protest_design(likes ~ poly(protest, 2) + scale(x), data$x, data)
  first <- ask_design(design, data.frame(.row = 1:40, protest = data$x))
  second <- ask_design(design, data.frame(.row = 1:40, protest = data$x + 1))
  expected <- predict(lm(likes ~ poly(x, 2), data), transform(data, x = x + 1))
  fit <- lm(data$likes ~ as.matrix(first[3:4]))
  expect_equal(drop(cbind(1, as.matrix(second[3:4])) %*% coef(fit)), expected, ignore_attr = TRUE)
  expect_identical(second[[5]], first[[5]])

  design <- protest_design(likes ~ protest, factor(c("b", "a", "c"), c("b", "a", "c")))
  values <- function(text) data.frame(.row = 1:3, protest = factor(text, c("a", "b", "c")))
  expect_named(ask_design(design, values(c("a", "a", "a"))), c("(outcome)", "(Intercept)", "protesta", "protestc"))
  withr::local_options(contrasts = c("contr.sum", "contr.poly"))
  expect_named(ask_design(design, values(c("c", "b", "b"))), c("(outcome)", "(Intercept)", "protesta", "protestc"))
})

test_that("a variable is of the kind that its hand labels are", {
  levels <- factor(c("a", "c"), c("a", "b", "c"))
  expect_identical(as_labelled(levels, factor("c", c("x", "c", "a"))), factor(c("a", "c"), c("c", "a", "b")))
  expect_identical(as_labelled(levels, ordered("a", c("c", "b", "a"))), ordered(c("a", "c"), c("c", "b", "a")))
  expect_identical(as_labelled(levels, c("a", NA)), c("a", "c"))
  expect_identical(as_labelled(c(0, 1), c(TRUE, NA)), c(FALSE, TRUE))
  expect_identical(as_labelled(c(0.3, 1), c(TRUE, NA)), c(0.3, 1))
  expect_identical(as_labelled(c(0, 1), c(0L, NA)), c(0, 1))
  expect_identical(as_labelled(c(0, 1), factor(c("1", "0"), c("1", "0"))), factor(c("0", "1"), c("1", "0")))
  expect_identical(as_labelled(c(0, 1), factor("protest", c("protest", "other"))), c(0, 1))
})

test_that("a category of numbers is numbers where the labels are", {
  levels <- factor(c("0", "3"), c("0", "1", "3"))
  expect_identical(as_labelled(levels, c(0, NA, 3)), c(0, 3))
  expect_identical(as_labelled(c(1, 1), factor("1", "1")), factor(c("1", "1"), c("1", "0")))
  expect_identical(as_labelled(c(1, 1), factor(c("1", "2"))), c(1, 1))
  made <- function(formula, label) {
    read <- read_formula(formula, labelled_posts(40), list(protest = "predicted"), NULL)
    made_factors(read, list(protest = rep_len(label, 40)))
  }
  expect_identical(made(likes ~ factor(protest) * x, 0:3), "protest")
  expect_identical(made(likes ~ x + cut(protest + z, 3), 0:3), "protest")
  expect_identical(made(likes ~ protest + city, "0"), "protest")
  expect_identical(made(likes ~ protest + I(protest > 1) + factor(city), 0:3), character())
  expect_identical(made(likes ~ protest + none(protest), 0:3), character())
})

test_that("a level that is never predicted has a column", {
  local_fake_python()
  never <- data.frame(.row = 1:4, protest = 0)
  design <- protest_design(likes ~ factor(protest), c(0, 1, NA, 1))
  expect_named(ask_design(design, never), c("(outcome)", "(Intercept)", "factor(protest)1"))
  expect_identical(ask_design(design, transform(never, protest = 1))[[3]], rep(1, 4))
  design <- protest_design(likes ~ protest, c("march", "riot", NA, "march"))
  predicted <- data.frame(.row = 1:4, protest = factor("march", c("march", "riot", "vigil")))
  expect_named(ask_design(design, predicted), c("(outcome)", "(Intercept)", "protestriot", "protestvigil"))
})

test_that("an outcome is 0 and 1 as in glm()", {
  local_fake_python()
  outcome <- function(formula, label, value, family = "binomial") {
    ask_design(protest_design(formula, label, family = family), data.frame(.row = 1:2, protest = value))[[1]]
  }
  two <- function(text) factor(text, c("no", "yes"))
  expect_identical(outcome(protest ~ x, c(TRUE, FALSE), c(1, 0)), c(1, 0))
  expect_identical(outcome(protest ~ x, c(TRUE, FALSE), c(0.2, 0)), c(0.2, 0))
  expect_identical(outcome(protest ~ x, two("no"), two(c("no", "yes"))), c(0, 1))
  expect_identical(outcome(protest ~ x, factor("yes", c("yes", "no")), two(c("no", "yes"))), c(1, 0))
  expect_identical(outcome(factor(protest) ~ x, c(0, 1), c(1, 1)), c(1, 1))
  three <- factor(c("b", "c"), c("a", "b", "c"))
  expect_identical(outcome(protest ~ x, three, three), c(1, 1))
  expect_error(outcome(protest ~ x, three, three, "gaussian"), class = "imagesasdata_argument_invalid")
  expect_error(outcome(protest ~ x, "yes", two(c("no", "yes"))), class = "imagesasdata_argument_invalid")
  city <- ask_design(protest_design(city ~ protest, 1, family = "binomial"), data.frame(.row = 1:9, protest = 0))
  expect_identical(city[[1]], as.numeric(labelled_posts(40)$city[1:9] != "Rome"))
})

test_that("variables outside the data are found as in lm(), with their rows", {
  local_fake_python()
  outside <- seq_len(40) / 10
  degree <- 2
  read <- read_formula(likes ~ protest + outside + poly(x, degree), labelled_posts(40), list(protest = "p"), NULL)
  expect_identical(read$used, c("likes", "x", "outside", "protest"))
  expect_identical(read$outcome, "likes")
  design <- protest_design(likes ~ protest + outside + poly(x, degree), 1)
  got <- ask_design(design, data.frame(.row = c(2, 5, 9), protest = 1:3))
  expect_identical(got$outside, outside[c(2, 5, 9)])
  expect_named(got, c("(outcome)", "(Intercept)", "protest", "outside", "poly(x, degree)1", "poly(x, degree)2"))
})

test_that("a matrix in the data goes to Python as its columns", {
  local_fake_python()
  data <- labelled_posts(40)
  data$space <- cbind(data$x, data$z)
  read <- read_formula(likes ~ protest + space, data, list(protest = "predicted"), NULL)
  columns <- formula_columns(read, data, list(predicted = "predicted", labelled = "coded"), NULL)
  expect_identical(columns$used, list("likes", "space[1]", "space[2]", "protest"))
  expect_identical(columns$data[["space[2]"]], data$z)
  expect_true(all(is.na(columns$data[c("space", "city", "account")])))
  expect_identical(columns$data$predicted, data$predicted)
})

test_that("what the formula cannot be is said", {
  local_fake_python()
  posts <- labelled_posts(40)
  refused <- function(formula, ...) {
    expect_error(regress(formula, posts, ...), class = "imagesasdata_argument_invalid")
  }
  columns <- list(c(protest = "predicted"), c(protest = "coded"))
  refused(likes ~ ., columns[[1]], columns[[2]])
  expect_snapshot(error = TRUE, {
    regress(likes ~ ., posts, c(protest = "predicted"), c(protest = "coded"))
    regress(likes ~ protest + offset(x), posts, c(protest = "predicted"), c(protest = "coded"))
    regress(~protest, posts, c(protest = "predicted"), c(protest = "coded"))
    regress(7, posts, c(protest = "predicted"), c(protest = "coded"))
    regress(likes ~ protest, "posts.csv", c(protest = "predicted"), c(protest = "coded"))
    regress(likes ~ protest, posts, "predicted", c(protest = "coded"))
    regress(likes ~ protest, posts, c(protest = "predicted"), "coded")
    regress(likes ~ protest, posts, c(protest = "predicted"), c(protest = "coded"), cluster = posts$city)
    regress(likes ~ protest, posts, c(protest = "predicted"), c(protest = "coded"), family = binomial())
    regress(likes ~ protest, posts, c(protest = "predicted"), c(protest = "coded"), family = poisson)
    outcome_of(cbind(1, 2), NULL, "binomial", NULL)
    outcome_of(as.Date("2020-01-01"), NULL, "gaussian", NULL)
    check_matrix(matrix(0, 2, 0), character(), NULL)
    check_matrix(matrix(0, 2, 2), "x", NULL)
  })
})
