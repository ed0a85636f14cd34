# Python's exceptions cannot be faked: reticulate has methods for their classes that want the real object.
raise <- function(name, text, module = "imagesasdata.errors") {
  exception <- reticulate::import(module, convert = FALSE)[[name]]
  throw <- reticulate::py_run_string("def throw(it): raise it", local = TRUE, convert = FALSE)$throw
  some_verb <- function() with_python_errors(throw(exception(text)), rlang::current_env())
  some_verb()
}

test_that("a Python error has its text, its classes and the verb", {
  skip_without_python()
  cnd <- expect_error(raise("ModelCardMissing", "no card"), class = "imagesasdata_error")
  expect_identical(conditionMessage(cnd), "no card")
  expect_s3_class(cnd, "imagesasdata_model_card_missing")
  expect_s3_class(cnd, "imagesasdata_model_invalid")
  expect_identical(conditionCall(cnd)[[1]], quote(some_verb))
})

test_that("the base class has no class of its own", {
  skip_without_python()
  cnd <- expect_error(raise("ImagesAsDataError", "plain"), class = "imagesasdata_error")
  expect_s3_class(cnd, c("imagesasdata_error", "rlang_error", "error", "condition"), exact = TRUE)
})

test_that("braces, percent signs and line breaks in a text stay as they are", {
  skip_without_python()
  expect_error(raise("KeysInvalid", "by={'a': '100 %s'}\n{next}"), "by={'a': '100 %s'}\n{next}", fixed = TRUE)
})

test_that("an error that is not the package's says what Python raised", {
  skip_without_python()
  expect_snapshot(error = TRUE, raise("ValueError", "bad value", module = "builtins"))
})

test_that("an interrupt in Python is an interrupt in R", {
  skip_without_python()
  caught <- tryCatch(raise("KeyboardInterrupt", "", module = "builtins"), interrupt = function(cnd) "interrupt")
  expect_identical(caught, "interrupt")
})

test_that("errors of R pass", {
  expect_error(with_python_errors(stop("plain"), NULL), "^plain$")
})

test_that("names of classes become snake case", {
  expect_identical(snake_case(c("ImageColumnMissing", "KeysInvalid")), c("image_column_missing", "keys_invalid"))
})
