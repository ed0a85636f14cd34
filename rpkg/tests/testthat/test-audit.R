audited <- function(n = 400) {
  rows <- seq_len(n) - 1
  truth <- c("other", "protest")[rows %% 2 + 1]
  wrong <- rows %% 5 == 0 | (rows >= n / 2 & rows %% 7 == 0)
  data.frame(
    image = sprintf("%d.jpg", rows),
    truth = truth,
    label = ifelse(wrong, ifelse(truth == "other", "protest", "other"), truth),
    city = rep(c("A", "B"), each = n / 2),
    event = rows %% 20
  )
}

test_that("predictions, truth and classes reach Python", {
  verb <- fake_verb(function(arguments) fake_findings(list(metrics = data.frame(n = 1)), kind = "audit"))
  local_fake_python(audit_predictions = verb)
  found <- audit_predictions(audited(10), "truth", c("city", "event"), class_name = c(a = "protest"), cluster = "event")
  sent <- verb$calls()[[1]]
  expect_identical(sent$by, c("city", "event"))
  expect_identical(sent$class_name, "protest")
  expect_identical(sent$cluster, "event")
  expect_identical(sent$predictions$label, audited(10)$label)
  expect_s3_class(found, c("imagesasdata_audit", "imagesasdata_findings"), exact = TRUE)
})

test_that("groups are compared as R's own tests compare them", {
  skip_without_python()
  p <- audited()
  found <- suppressWarnings(audit_predictions(p, "truth", by = "city", replicates = 0))
  right <- tapply(p$label == p$truth, p$city, sum)
  test <- found$tests[found$tests$metric == "accuracy", ]
  theirs <- stats::prop.test(as.numeric(right), c(200, 200), correct = FALSE)
  expect_equal(test$p_value, theirs$p.value)
  expect_equal(test$statistic, unname(theirs$statistic))
  expect_equal(test$gap, abs(diff(as.numeric(right))) / 200)
  expect_equal(found$tests$p_adjusted, stats::p.adjust(found$tests$p_value, "holm"))
  few <- suppressWarnings(audit_predictions(p[c(1:12, 201:207), ], "truth", by = "city", replicates = 0))
  small <- table(c(rep("A", 12), rep("B", 7)), p$label[c(1:12, 201:207)] == p$truth[c(1:12, 201:207)])
  expect_identical(few$tests$test[few$tests$metric == "accuracy"], "Fisher")
  expect_equal(few$tests$p_value[few$tests$metric == "accuracy"], stats::fisher.test(small)$p.value)
})

test_that("an audit is tidy, has one row of facts and a picture of its groups", {
  skip_without_python()
  skip_if_not_installed("generics")
  found <- suppressWarnings(audit_predictions(audited(), "truth", by = "city", cluster = "event", replicates = 50))
  expect_identical(names(generics::tidy(found))[1:5], c("by", "group", "metric", "class", "estimate"))
  expect_identical(generics::tidy(found)$group[1:2], c("A", "B"))
  expect_identical(generics::glance(found)$n_clusters, 20L)
  skip_if_not_installed("ggplot2")
  expect_identical(pictures_of(found), "groups")
  expect_s3_class(ggplot2::autoplot(found, metric = "precision"), "ggplot")
})

test_that("what cannot be compared is an error of its class", {
  skip_without_python()
  expect_snapshot(error = TRUE, {
    audit_predictions(cbind(audited(60), id = 1:60), "truth", by = "id")
    audit_predictions(audited(20), "truth", by = "city", class_name = "riot")
  })
})
