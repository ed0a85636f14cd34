# Run the R package's tests and write one CSV row for each: Rscript --vanilla test-r.R FOLDER REPORT.csv
# (testthat's own JUnit reporter needs a package more.)
arguments <- commandArgs(TRUE)
Sys.setenv(NOT_CRAN = "true")

results <- testthat::test_dir(
  arguments[1], package = "imagesasdata", load_package = "installed",
  reporter = testthat::ProgressReporter$new(show_praise = FALSE, update_interval = Inf),
  stop_on_failure = FALSE
)

has <- function(test, class) any(vapply(test$results, inherits, logical(1), class))
reason <- function(test) {
  skip <- Filter(function(r) inherits(r, "expectation_skip"), test$results)
  if (length(skip)) sub("^Reason: ", "", conditionMessage(skip[[1]])) else ""
}
rows <- data.frame(
  file = vapply(results, `[[`, "", "file"),
  test = vapply(results, `[[`, "", "test"),
  outcome = vapply(results, function(test) {
    if (has(test, c("expectation_failure", "expectation_error"))) "failed"
    else if (has(test, "expectation_skip")) "skipped"
    else "passed"
  }, ""),
  reason = vapply(results, reason, "")
)
write.csv(rows, arguments[2], row.names = FALSE)
quit(status = as.integer(any(rows$outcome == "failed") || nrow(rows) == 0))
