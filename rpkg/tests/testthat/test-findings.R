test_that("findings are plain R: tables, facts and lines", {
  local_fake_python()
  found <- evaluated()
  expect_s3_class(found, c("imagesasdata_evaluation", "imagesasdata_findings"), exact = TRUE)
  expect_named(
    found,
    c(
      "metrics",
      "confusion",
      "roc",
      "pr",
      "calibration",
      "predictions",
      "facts",
      "lines",
      "notes"
    )
  )
  expect_s3_class(found$metrics, "data.frame")
  expect_identical(found$facts$classes, c("cat", "dog", "fox"))
  expect_null(found$facts$ceiling)
  expect_identical(unserialize(serialize(found, NULL)), found)
})

test_that("findings print their lines and their notes", {
  local_fake_python()
  metrics <- metric_rows("accuracy", NA, 0.5, 9)
  notes <- c("{b} %s.", strrep("Many words. ", 9))
  found <- as_findings(fake_findings(list(metrics = metrics), lines = c("Title", "  {a} %s"), notes = notes))
  expect_snapshot(found)
  expect_snapshot(summary(found))
})

test_that("tidy has broom's names, one row a metric and class", {
  skip_if_not_installed("generics")
  local_fake_python()
  found <- evaluated()
  tidied <- generics::tidy(found)
  expect_named(tidied, c("metric", "class", "estimate", "conf.low", "conf.high", "n", "interval"))
  expect_identical(tidied$conf.low, found$metrics$conf_low)
  agreement <- data.frame(name = "label", metric = "cohen_kappa", estimate = 0.5, conf_low = 0, conf_high = 1, n = 9)
  agreement <- as_findings(fake_findings(list(metrics = agreement), kind = "agreement"))
  expect_named(generics::tidy(agreement), c("name", "metric", "estimate", "conf.low", "conf.high", "n"))
})

test_that("glance is one row of the single facts, missing where there is none", {
  skip_if_not_installed("generics")
  local_fake_python()
  found <- evaluated()
  row <- generics::glance(found)
  expect_identical(nrow(row), 1L)
  expect_identical(row$primary, "accuracy")
  expect_identical(row$n_classes, 3L)
  expect_identical(row$conf.level, 0.95)
  expect_identical(row$ceiling, NA)
  expect_false("classes" %in% names(row))
})

test_that("any table is a plain data frame, and an unknown one is an error", {
  local_fake_python()
  found <- evaluated()
  expect_identical(as.data.frame(found), as.data.frame(found$metrics))
  expect_identical(class(as.data.frame(found, table = "confusion")), "data.frame")
  expect_snapshot(error = TRUE, as.data.frame(found, table = "confusions"))
  expect_snapshot(error = TRUE, as.data.frame(found, table = "facts"))
})

test_that("any table is a tibble", {
  skip_if_not_installed("tibble")
  local_fake_python()
  found <- evaluated()
  expect_identical(tibble::as_tibble(found), tibble::as_tibble(found$metrics))
  expect_identical(dim(tibble::as_tibble(found, table = "confusion")), c(9L, 3L))
  expect_error(tibble::as_tibble(found, table = "facts"), class = "imagesasdata_argument_invalid")
})

test_that("the title is bold where the terminal can show it", {
  local_fake_python()
  found <- as_findings(fake_findings(list(metrics = metric_rows("accuracy", NA, 0.5, 9)), lines = c("Title", "more")))
  withr::local_options(cli.num_colors = 256)
  expect_identical(format(found), c("\033[1mTitle\033[22m", "more"))
  expect_identical(format(summary(found))[1:3], c(format(found), ""))
})

test_that("notes are warnings of the verb", {
  verb <- fake_verb(function(arguments) {
    fake_findings(list(metrics = data.frame(n = 1)), kind = "agreement", notes = c("one {x}", "two"))
  })
  local_fake_python(coder_agreement = verb)
  warned <- testthat::capture_warnings(found <- coder_agreement("labels.csv"))
  expect_identical(warned, c("one {x}", "two"))
  expect_identical(found$notes, warned)
  expect_warning(expect_warning(coder_agreement("labels.csv")), class = "imagesasdata_warning")
})

test_that("findings go back to Python with the text that came from there, and all tables", {
  got <- NULL
  from_json <- function(text, tables) got <<- list(text = text, tables = tables)
  local_fake_python(Findings = list(from_json = from_json))
  python <- fake_findings(list(metrics = data.frame(n = 1), pairs = data.frame(a = "x")), list(classes = list("one")))
  findings_to_python(as_findings(python))
  expect_identical(got$text, python$facts_json())
  expect_identical(got$tables, python$tables)
})

test_that("there and back again nothing changes", {
  skip_without_python()
  labels <- rep(c("a", "a", "b", "b", "a", "b"), 10)
  coded <- data.frame(image = rep(1:30, each = 2), coder = c("Ann", "Ben"), label = labels)
  found <- coder_agreement(coded, replicates = 20)
  python <- findings_to_python(found)
  expect_identical(as_findings(python), found)
  expect_identical(reticulate::py_str(python$tables[["metrics"]]$schema$field("n")$type), "int64")
})
