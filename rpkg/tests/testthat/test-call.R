test_that("NULL is not sent and whole numbers are sent as such", {
  verb <- fake_classify()
  local_fake_python(classify_images = verb)
  classify_images(c("a.jpg", "b.jpg"), batch_size = 32, progress = FALSE)
  sent <- verb$calls()[[1]]
  expect_false(any(c("probs", "image_dir") %in% names(sent)))
  expect_identical(sent$batch_size, 32L)
  expect_identical(sent$max_pixels, 100000000L)
  expect_identical(sent$device, "auto")
})

test_that("what is no whole number is left for Python to judge", {
  expect_identical(whole_number(2.5), 2.5)
  expect_identical(whole_number("auto"), "auto")
  expect_identical(whole_number(NA_real_), NA_real_)
  expect_identical(whole_number(Inf), Inf)
  expect_identical(whole_number(c(1, 2)), c(1, 2))
})

test_that("whole numbers beyond R's integers are sent without an exponent", {
  local_fake_python()
  expect_identical(whole_number(3e9), "3000000000")
})

test_that("tag_images sends a number that is not in the list of whole ones as it is", {
  verb <- fake_verb(function(arguments) data.frame(image = "a.jpg", rank = 1L))
  local_fake_python(tag_images = verb)
  tag_images("a.jpg", top = 3, threshold = 0, progress = FALSE)
  expect_identical(verb$calls()[[1]][c("top", "threshold")], list(top = 3L, threshold = 0))
})

test_that("a model is sent as its path", {
  verb <- fake_classify()
  local_fake_python(classify_images = verb)
  classify_images(c("a.jpg", "b.jpg"), model = fake_model(), progress = FALSE)
  expect_identical(verb$calls()[[1]]$model, "/models/fake.onnx")
})

test_that("notes in the provenance are warnings and then gone", {
  verb <- fake_verb(function(arguments) structure(data.frame(a = 1), provenance = '{"notes": ["one", "two"]}'))
  local_fake_python(list_models = verb)
  expect_warning(expect_warning(models <- list_models(), "one"), "two", class = "imagesasdata_warning")
  expect_null(attr(models, "imagesasdata")$notes)
})
