test_that("folder, wheel, Git address and index each have their form", {
  folder <- withr::local_tempdir()
  expect_identical(install_requirement(NULL, FALSE), "imagesasdata==0.1.*")
  expect_identical(install_requirement(NULL, TRUE), "imagesasdata[cuda]==0.1.*")
  expect_identical(install_requirement(folder, TRUE), paste0(normalizePath(folder), "[cuda]"))
  git <- "git+https://example.org/imagesasdata"
  expect_identical(install_requirement(git, FALSE), paste("imagesasdata @", git))
})

test_that("an unknown method is an error", {
  expect_error(install_imagesasdata(method = "magic"), "method")
})
