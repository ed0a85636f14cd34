posts <- data.frame(post = c("a", "b"), photo = c("1.jpg", "2.jpg"), when = as.Date("2020-06-01") + 0:1)
predictions <- structure(
  data.frame(image = c("1.jpg", "2.jpg"), label = factor(c("protest", "other"))),
  imagesasdata = list(verb = "classify_images", model = "fake")
)

# nolint start: object_usage_linter. It is in helper-fake.R.
fake_merge <- function() {
  fake_verb(function(arguments) {
    merged <- cbind(arguments$data, arguments$predictions["label"])
    structure(merged, provenance = '{"verb": "merge_predictions", "merge": {"rows": 2}}')
  })
}
# nolint end

test_that("Python gets the keys and the predictions, and the data stays in R", {
  verb <- fake_merge()
  local_fake_python(merge_predictions = verb)
  merged <- merge_predictions(posts, predictions, by = c(photo = "image"))
  sent <- verb$calls()[[1]]
  expect_identical(sent$data$photo, posts$photo)
  expect_true(all(is.na(sent$data[c("post", "when")])))
  expect_identical(sent$by, list(photo = "image"))
  expect_false("how" %in% names(sent))
  expect_identical(as.list(merged)[1:3], as.list(posts))
  expect_named(merged, c(names(posts), "label"))
})

test_that("keys are written as in dplyr", {
  verb <- fake_merge()
  local_fake_python(merge_predictions = verb)
  merge_predictions(posts, predictions, by = c("post", photo = "image"), how = "any")
  expect_identical(verb$calls()[[1]]$by, list(post = "post", photo = "image"))
  expect_identical(verb$calls()[[1]]$how, "any")
})

test_that("the provenance of the predictions goes on", {
  local_fake_python(merge_predictions = fake_merge())
  merged <- merge_predictions(posts, predictions, by = c(photo = "image"))
  expect_identical(
    attr(merged, "imagesasdata"),
    list(verb = "merge_predictions", model = "fake", merge = list(rows = 2L))
  )
})

test_that("what cannot be merged is an error that says so", {
  local_fake_python(merge_predictions = fake_merge())
  expect_snapshot(error = TRUE, merge_predictions("posts.csv", predictions))
  expect_snapshot(error = TRUE, merge_predictions(posts, 1))
  predictions$words <- list(1, 2)
  expect_snapshot(error = TRUE, merge_predictions(posts, predictions))
})
