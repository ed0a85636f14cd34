test_that("labels, and the probabilities by which they were drawn, reach Python", {
  got <- NULL
  local_fake_python(data_statement = function(...) {
    got <<- list(...)
    "# Data statement\n\n{curly} %s"
  })
  labels <- data.frame(photo = "a.jpg", label = factor("x"), coder = "Ann", inclusion_prob = 0.5, other = 1)
  text <- data_statement(labels, image_col = "photo", coders = "coder", title = "T", progress = FALSE)
  expect_identical(got$labels$inclusion_prob, 0.5)
  expect_true(is.na(got$labels$other))
  expect_identical(got$title, "T")
  expect_s3_class(text, "imagesasdata_card")
  expect_identical(format(text), c("# Data statement", "", "{curly} %s"))
})

test_that("a statement has facts, blanks and a file", {
  skip_without_python()
  photos <- labelled_photos(4)
  photos$inclusion_prob <- 0.25
  out <- withr::local_tempfile(fileext = ".md")
  text <- data_statement(photos, duplicates = FALSE, out = out, progress = FALSE)
  expect_match(text, "| blobs | 4 | 50.0% |", fixed = TRUE)
  expect_match(text, "the 8 photographs stand for about 32", fixed = TRUE)
  expect_match(text, "*To be filled in by the researcher.*", fixed = TRUE)
  expect_identical(readLines(out, encoding = "UTF-8"), format(text))
  expect_error(data_statement(photos, out = out, progress = FALSE), class = "imagesasdata_argument_invalid")
})
