# Each of these needs an R session in which Python has not started.

no_python <- c(
  RETICULATE_PYTHON = NA, RETICULATE_USE_MANAGED_VENV = "no", WORKON_HOME = tempdir(), VIRTUAL_ENV = NA,
  RETICULATE_PYTHON_ENV = NA
)

test_that("attaching the package is silent and starts nothing, with no Python on the machine", {
  seen <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    messages <- utils::capture.output(type = "message", output <- utils::capture.output(library(imagesasdata)))
    list(output = c(messages, output), started = reticulate::py_available())
  })
  expect_identical(seen$output, character())
  expect_false(seen$started)
})

test_that("the first verb says how to get a Python", {
  cnd <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    tryCatch(imagesasdata::classify_images("a.jpg"), error = function(cnd) cnd)
  })
  expect_s3_class(cnd, c("imagesasdata_python_missing", "imagesasdata_error"))
  # what reticulate adds, and the bullets, depend on its version and on the terminal
  lines <- strsplit(conditionMessage(cnd), "\n")[[1]]
  own <- grep("^This needs|install_imagesasdata|RETICULATE_PYTHON =|iad_doctor", lines, value = TRUE)
  expect_snapshot(cat(sub("^\\S ", "- ", own), sep = "\n"))
})

test_that("the doctor reports a missing Python and goes on", {
  rows <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    imagesasdata::iad_doctor()
  })
  expect_identical(rows$status[[nrow(rows)]], "problem")
  expect_match(rows$advice[[nrow(rows)]], "install_imagesasdata(source = )", fixed = TRUE)
})

test_that("a RETICULATE_PYTHON that does not exist is named", {
  cnd <- in_new_session(env = c(RETICULATE_PYTHON = "/no/such/python"), function() {
    tryCatch(imagesasdata::list_models(), error = function(cnd) cnd)
  })
  expect_s3_class(cnd, "imagesasdata_python_missing")
  expect_match(conditionMessage(cnd), "/no/such/python", fixed = TRUE)
})

test_that("examples do not run where nobody has chosen a Python", {
  expect_false(in_new_session(env = no_python, function() imagesasdata:::python_ready()))
})

test_that("versions must agree in the first two numbers", {
  own <- series(utils::packageVersion("imagesasdata"))
  expect_identical(series("0.12.3.dev1"), "0.12")
  expect_silent(check_version(paste0(own, ".99"), NULL))
  cnd <- expect_error(check_version("99.0.0", NULL), class = "imagesasdata_version_mismatch")
  expect_match(conditionMessage(cnd), "version 99.0.0")
})
