test_that("TRUE and FALSE and functions are sent as Python wants them", {
  expect_false(progress_for_python(FALSE)$report)
  expect_type(progress_for_python(TRUE)$report, "closure")
  expect_identical(progress_for_python("yes")$report, "yes")
})

test_that("a function is called with what Python says, and answers nothing", {
  seen <- list()
  bar <- progress_for_python(function(done, total, text) seen <<- list(done, total, text))
  expect_null(bar$report(1L, 10L, "fake on cpu"))
  expect_identical(seen, list(1L, 10L, "fake on cpu"))
})

test_that("an error in that function is kept, since Python would keep its text only", {
  bar <- progress_for_python(function(done, total, text) rlang::abort("boom", class = "boom"))
  expect_null(bar$raised())
  try(bar$report(1L, 10L, "fake on cpu"), silent = TRUE)
  expect_s3_class(bar$raised(), "boom")
})

test_that("the bar moves, names the model and the device, and closes", {
  withr::local_options(cli.progress_show_after = 0, cli.dynamic = FALSE, cli.progress_handlers_only = "logger")
  output <- capture.output({
    bar <- progress_for_python(TRUE)
    for (done in c(0, 5, 10)) {
      bar$report(done, 10, "fake on cpu")
    }
    bar$close()
  })
  expect_match(output, "created", all = FALSE)
  expect_match(output, "updated", all = FALSE)
  expect_match(output, "terminated", all = FALSE)
})

test_that("in a log, which keeps every step, a bar is a few lines, and in an article none", {
  withr::local_options(cli.progress_show_after = 0, cli.dynamic = FALSE, cli.progress_handlers_only = "logger")
  output <- capture.output({
    bar <- progress_for_python(TRUE)
    for (done in 0:1000) {
      bar$report(done, 1000, "fake on cpu")
    }
    bar$close()
  })
  expect_lte(sum(grepl("updated", output)), 11)
  expect_gte(sum(grepl("updated", output)), 10)
  withr::local_options(knitr.in.progress = TRUE)
  expect_false(progress_for_python(TRUE)$report)
})

test_that("a bar that never began can be closed", {
  expect_no_error <- function(code) expect_error(code, NA)
  expect_no_error(progress_for_python(TRUE)$close())
})
