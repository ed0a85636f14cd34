test_that("folder, wheel, Git address and index each have their form", {
  folder <- withr::local_tempdir()
  expect_identical(as_requirement("imagesasdata==0.1.*"), "imagesasdata==0.1.*")
  expect_identical(as_requirement("imagesasdata==0.1.*", TRUE), "imagesasdata[cuda]==0.1.*")
  expect_identical(as_requirement(folder, TRUE), paste0(normalizePath(folder), "[cuda]"))
  git <- "git+https://example.org/imagesasdata"
  expect_identical(as_requirement(git, FALSE), paste("imagesasdata @", git))
})

test_that("without a source nothing is asked for on the index", {
  withr::local_options(imagesasdata.source = NULL)
  expect_null(python_source())
  expect_error(install_imagesasdata(), class = "imagesasdata_source_missing")
  withr::local_options(imagesasdata.source = "~/imagesasdata")
  expect_identical(python_source(), "~/imagesasdata")
})

test_that("an unknown method is an error", {
  expect_error(install_imagesasdata(method = "magic"), "method")
})
