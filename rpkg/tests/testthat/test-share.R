test_that("what goes to Python: the named columns, and whole numbers", {
  verb <- fake_verb(function(arguments) {
    metrics <- data.frame(class = NA, group = NA, estimate = 0.3, std_error = 0.1, conf_low = 0.2, conf_high = 0.4)
    fake_findings(list(metrics = metrics, shares = metrics), kind = "share", notes = "few labels")
  })
  local_fake_python(estimate_share = verb)
  posts <- labelled_posts(40)
  columns <- list(c(protest = "predicted"), list(protest = "coded"))
  expect_warning(estimate_share(posts, columns[[1]], columns[[2]], by = "city", repeats = 2), "few labels")
  suppressWarnings(estimate_share("posts.csv", columns[[1]], columns[[2]], weights = "w"))
  sent <- verb$calls()
  expect_identical(sent[[1]]$data$city, as.character(posts$city))
  expect_identical(sent[[1]]$data$coded, posts$coded)
  expect_true(all(is.na(sent[[1]]$data$likes)))
  expect_identical(
    sent[[1]][c("predicted", "labelled")],
    list(predicted = list(protest = "predicted"), labelled = list(protest = "coded"))
  )
  expect_identical(sent[[1]][c("folds", "repeats", "seed")], list(folds = 5L, repeats = 2L, seed = 1L))
  expect_identical(sent[[2]]$data, "posts.csv")
  expect_snapshot(error = TRUE, {
    estimate_share(7, c(protest = "predicted"), c(protest = "coded"))
    estimate_share(posts, "predicted", c(protest = "coded"))
    power_regress(7)
  })
})

test_that("a share is the mean of the labels where all are there", {
  skip_without_python()
  posts <- labelled_posts()
  found <- estimate_share(posts, c(protest = "predicted"), c(protest = "coded"), by = "city", repeats = 2)
  expect_s3_class(found, c("imagesasdata_share", "imagesasdata_findings"), exact = TRUE)
  expect_identical(found$metrics$group, c(NA, "Lima", "Oslo", "Rome"))
  mean_of <- function(values) c(mean(values), sd(values) / sqrt(length(values)))
  expected <- rbind(mean_of(posts$coded), do.call(rbind, tapply(posts$coded, as.character(posts$city), mean_of)))
  expect_equal(cbind(found$metrics$estimate, found$metrics$std_error), expected, ignore_attr = TRUE)
  expect_equal(found$metrics$naive[1], mean(posts$predicted))
  skip_if_not_installed("generics")
  tidied <- generics::tidy(found)
  expect_named(tidied[1:6], c("class", "group", "estimate", "std.error", "conf.low", "conf.high"))
  expect_identical(generics::glance(found)$n_labelled, 400L)
})

test_that("groups with few labels and classes of a category have their rows", {
  skip_without_python()
  posts <- labelled_posts(labels = 80)
  posts$event <- factor(ifelse(posts$coded == 1, "protest", "other"))
  posts$label <- ifelse(posts$predicted == 1, "protest", "other")
  warned <- testthat::capture_warnings(
    found <- estimate_share(
      posts,
      c(event = "label"),
      c(event = "event"),
      "city",
      sampling_prob = "chosen",
      repeats = 2
    )
  )
  expect_match(warned, "fewer than 30", all = FALSE)
  expect_identical(unique(found$metrics$class), c("other", "protest"))
  whole <- found$metrics[is.na(found$metrics$group), ]
  expect_equal(sum(whole$estimate), 1, tolerance = 1e-6)
})

test_that("a row that could not be chosen is refused where it is not labelled too; a missing probability is none", {
  skip_without_python()
  posts <- labelled_posts(labels = 80)
  share <- function(data) {
    suppressWarnings(estimate_share(data, c(protest = "predicted"), c(protest = "coded"), sampling_prob = "chosen"))
  }
  for (value in c(0, -0.1, 1.2)) {
    wrong <- transform(posts, chosen = ifelse(is.na(coded) & x > 1, value, chosen))
    expect_error(share(wrong), "Leave these rows out", class = "imagesasdata_probability_invalid")
    cause <- rlang::catch_cnd(quick(likes ~ protest, wrong, sampling_prob = "chosen"))
    expect_s3_class(cause, "imagesasdata_probability_invalid")
  }
  missing <- transform(posts, chosen = ifelse(is.na(coded), NA, chosen))
  expect_identical(share(missing)$metrics, share(posts)$metrics)
})

test_that("one cluster is refused, and few are a warning", {
  skip_without_python()
  posts <- transform(labelled_posts(labels = 80), one = 1, few = seq_along(x) %% 12)
  cause <- rlang::catch_cnd(quick(likes ~ protest, posts, cluster = "one"))
  expect_s3_class(cause, "imagesasdata_argument_invalid")
  expect_match(conditionMessage(cause), "`cluster` has one value in all labelled rows", fixed = TRUE)
  warned <- testthat::capture_warnings(
    estimate_share(posts, c(protest = "predicted"), c(protest = "coded"), cluster = "few", repeats = 1)
  )
  expect_match(warned, "labels are in 12 clusters", fixed = TRUE, all = FALSE)
})

test_that("a group whose labels are all alike has an interval, and it is said", {
  skip_without_python()
  posts <- transform(labelled_posts(labels = 200), coded = ifelse(city == "Oslo" & !is.na(coded), 1, coded))
  m <- sum(posts$city == "Oslo" & !is.na(posts$coded))
  for (method in c("dsl", "ppi")) {
    expect_warning(
      found <- estimate_share(
        posts,
        c(protest = "predicted"),
        c(protest = "coded"),
        by = "city",
        sampling_prob = "chosen",
        method = method,
        repeats = 2
      ),
      sprintf("of protest are all alike in Oslo (%d labels)", m),
      fixed = TRUE
    )
    # Wilson's limits of m of m
    row <- found$metrics[3, ]
    expect_lte(row$conf_low, 1 / (1 + stats::qnorm(0.975)^2 / m))
    expect_identical(row$conf_high, 1)
  }
})

test_that("power is that of the covariance: at hand the same standard errors, and fewer with more labels", {
  skip_without_python()
  posts <- labelled_posts(labels = 200)
  # A covariate whose name begins with n_ is no count, and one named as a column of the tables is no other column.
  posts$n_images <- posts$z
  posts$term <- posts$x
  posts$which <- posts$x^2
  odd <- quick(likes ~ protest + term + which, posts, sampling_prob = "chosen")
  expect_identical(dim(vcov(odd)), c(4L, 4L))
  expect_identical(power_regress(odd, 100)$metrics$term, names(coef(odd)))
  found <- quick(likes ~ protest + n_images, posts, sampling_prob = "chosen")
  power <- power_regress(found, c(100, 200, 400), c("protest", "n_images"), std_error = 0.12)
  expect_s3_class(power, c("imagesasdata_power", "imagesasdata_findings"), exact = TRUE)
  expect_identical(power$metrics$term, rep(c("protest", "n_images"), each = 3))
  at_hand <- power$metrics[power$metrics$n_labelled == 200, ]
  expect_equal(at_hand$std_error, unname(sqrt(diag(vcov(found))[c("protest", "n_images")])))
  expect_true(all(diff(power$metrics$std_error[1:3]) < 0))
  part <- found$covariance[found$covariance$which == "from_labels", ]
  added <- part$cov_protest[part$term == "protest"]
  expect_equal(power$metrics$std_error[1]^2, vcov(found)["protest", "protest"] + added, tolerance = 1e-10)
  expect_identical(power$needed$term, c("protest", "n_images"))
  expect_identical(
    power_regress(found)$metrics$term,
    rep(names(coef(found)), each = nrow(power_regress(found)$metrics) / 3)
  )
  expect_identical(power_regress(unserialize(serialize(found, NULL)), 300, "protest")$metrics$n_labelled, 300)
  refused <- function(...) expect_error(power_regress(found, ...), class = "imagesasdata_argument_invalid")
  refused(1.5)
  refused(401)
  refused(terms = "x")
  refused(std_error = -1)
  naive <- quick(likes ~ protest, posts, sampling_prob = "chosen", method = "naive")
  expect_error(power_regress(naive), class = "imagesasdata_argument_invalid")
})

odd_names <- c("a^2", "<b>x</b>")


test_that("shares and powers have their pictures", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  shares <- data.frame(
    class = NA_character_,
    group = c(NA, odd_names[1:2]),
    estimate = c(0.5, 0.4, NA),
    std_error = 0.1,
    conf_low = c(0.3, 0.2, NA),
    conf_high = c(0.7, 0.6, NA),
    naive = c(0.6, 0.5, 0.2),
    labels = 0.5,
    n = 100,
    n_labelled = c(1200, 30, 1)
  )
  facts <- list(variable = "protest", conf_level = 0.95, n_labelled = 40L)
  share <- as_findings(fake_findings(list(metrics = shares, shares = shares), facts, "share"))
  picture <- ggplot2::autoplot(share)
  draws(picture)
  expect_identical(
    axis_labels(picture, "y"),
    c("a^2  (30 labels)", "<b>x</b>  (1 labels)", "all  (1,200 labels)")[c(2, 1, 3)]
  )
  expect_identical(pictures_of(share), "shares")

  power <- expand.grid(n_labelled = c(20, 40, 80), term = c("(Intercept)", odd_names, sprintf("x%d", 1:7)))
  power$term <- as.character(power$term)
  power$std_error <- 1 / sqrt(power$n_labelled)
  found <- as_findings(fake_findings(list(metrics = power, power = power), facts, "power"))
  picture <- ggplot2::autoplot(found)
  draws(picture)
  expect_equal(legend_labels(picture), c(odd_names, sprintf("x%d", 1:4)), ignore_attr = TRUE)
  expect_identical(round_numbers(c(30, 1200)), c(50, 100, 200, 500, 1000))
})
