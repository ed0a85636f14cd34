test_that("the report has R's rows and then Python's", {
  local_fake_python(doctor = fake_verb(function(arguments) doctor_row("GPU", "none", "note", "nothing to do")))
  rows <- rbind(doctor_r(), call_python(the$module$doctor$for_r, list(), NULL))
  expect_named(rows, c("item", "value", "status", "advice"))
  expect_true(all(rows$status %in% c("ok", "note", "problem")))
})

test_that("the source and the Python that were set are told, or that they were not", {
  value <- function(item) doctor_r()$value[doctor_r()$item == item]
  withr::local_options(imagesasdata.source = NULL)
  withr::local_envvar(RETICULATE_PYTHON = NA)
  expect_identical(value("imagesasdata.source"), "not set")
  expect_identical(value("RETICULATE_PYTHON"), "not set")
  withr::local_options(imagesasdata.source = "~/imagesasdata")
  withr::local_envvar(RETICULATE_PYTHON = "managed")
  expect_identical(value("imagesasdata.source"), "~/imagesasdata")
  expect_identical(value("RETICULATE_PYTHON"), "managed")
})

test_that("an R package that is too old is a problem with its command", {
  expect_identical(doctor_r_package("nanoarrow", "0.6.0", numeric_version("0.6.0"))$status, "ok")
  old <- doctor_r_package("nanoarrow", "0.6.0", numeric_version("0.5.0"))
  expect_identical(old$value, "0.5.0; 0.6.0 or newer is needed")
  expect_identical(old$status, "problem")
  expect_identical(old$advice, "`install.packages(\"nanoarrow\")`, then restart R")
})

test_that("a problem of Python is one row with one command", {
  cnd <- expect_error(check_reticulate(numeric_version("1.28"), NULL))
  row <- doctor_problem(cnd)
  expect_identical(row$value, "The R package reticulate 1.41 or newer is needed.")
  expect_identical(row$status, "problem")
  expect_identical(row$advice, "`install.packages(\"reticulate\")`, then restart R")
})

test_that("an error without a command is told as it is", {
  cnd <- expect_error(abort("python_error", c("Python raised ImportError: no such file", i = "a hint"), NULL))
  row <- doctor_problem(cnd)
  expect_identical(row$value, "not usable")
  expect_match(row$advice, "Python raised ImportError: no such file", fixed = TRUE)
})

test_that("the doctor reports a missing Python and goes on", {
  rows <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    imagesasdata::iad_doctor()
  })
  expect_identical(rows$value[rows$item == "Python, as R found it"], "none")
  expect_identical(rows$status[[nrow(rows)]], "problem")
  expect_identical(rows$advice[[nrow(rows)]], "`install_imagesasdata(source = \"path/to/imagesasdata\")`")
})

test_that("with Python it says which, why that one, and on which device a session ran", {
  skip_without_python()
  seen <- in_new_session(env = c(RETICULATE_PYTHON = reticulate::py_config()$python), function() {
    list(rows = as.data.frame(imagesasdata::iad_doctor()), python = reticulate::py_config()$python)
  })
  value <- function(item) seen$rows$value[seen$rows$item == item]
  expect_match(value("Python, as R found it"), seen$python, fixed = TRUE)
  expect_identical(value("Python was chosen by"), "RETICULATE_PYTHON")
  expect_match(value("device=\"auto\""), "^a session got ")
  expect_length(value("cache"), 1)
  expect_match(value("models"), "bundled in ")
})

test_that("the report prints marks and advice", {
  rows <- rbind(
    doctor_row("R", "4.2.2"),
    doctor_row("GPU", "none", "note", "nothing to do"),
    doctor_row("Python", "missing", "problem", "install\nit")
  )
  expect_snapshot(print(structure(rows, class = c("imagesasdata_doctor", "data.frame"))))
})
