test_that("folder, wheel, Git address and index each have their form", {
  folder <- withr::local_tempdir()
  expect_identical(as_requirement("imagesasdata==0.1.*"), "imagesasdata==0.1.*")
  expect_identical(as_requirement("imagesasdata==0.1.*", TRUE), "imagesasdata[cuda]==0.1.*")
  expect_identical(as_requirement(folder, TRUE), paste0(normalizePath(folder), "[cuda]"))
  wheel <- file.path(folder, "imagesasdata-0.1.0-py3-none-any.whl")
  file.create(wheel)
  expect_identical(as_requirement(wheel), normalizePath(wheel))
  addresses <- c("git+https://example.org/a", "git+file:///a/b", "https://example.org/a.whl", "file:///a.whl")
  for (address in addresses) {
    expect_identical(as_requirement(address), paste("imagesasdata @", address))
    expect_identical(as_requirement(address, TRUE), paste("imagesasdata[cuda] @", address))
  }
})

test_that("without a source nothing is asked for on the index", {
  withr::local_options(imagesasdata.source = NULL)
  expect_null(python_source())
  expect_error(install_imagesasdata(), class = "imagesasdata_source_missing")
  withr::local_options(imagesasdata.source = "~/imagesasdata")
  expect_identical(python_source(), "~/imagesasdata")
})

test_that("a folder that does not exist is an error before an environment is made", {
  env <- file.path(withr::local_tempdir(), "env")
  cnd <- expect_error(install_imagesasdata(env, source = "/no/such/folder"), class = "imagesasdata_source_missing")
  expect_match(conditionMessage(cnd), "/no/such/folder", fixed = TRUE)
  expect_false(file.exists(env))
  expect_silent(check_source_exists("git+https://example.org/imagesasdata", NULL))
  expect_silent(check_source_exists("imagesasdata==0.1.*", NULL))
})

test_that("an unknown method is an error", {
  expect_error(install_imagesasdata(method = "magic"), "method")
})

test_that("the next step names RETICULATE_PYTHON where the environment is not found by its name", {
  withr::local_envvar(RETICULATE_PYTHON = NA)
  expect_match(next_step("r-imagesasdata", "/p"), "^Restart R")
  expect_match(next_step("~/other", "/p"), "RETICULATE_PYTHON", fixed = TRUE)
  withr::local_envvar(RETICULATE_PYTHON = "/another/python")
  expect_match(next_step("r-imagesasdata", "/p"), "RETICULATE_PYTHON", fixed = TRUE)
})

test_that("an environment that is not there has no package", {
  expect_false(has_package(environment_python(file.path(withr::local_tempdir(), "none"), "virtualenv")))
  expect_false(has_package(NULL))
  expect_false(has_package("/no/such/python"))
})

test_that("a Python that has the package is recognized", {
  skip_without_python()
  expect_true(has_package(reticulate::py_config()$python))
})
