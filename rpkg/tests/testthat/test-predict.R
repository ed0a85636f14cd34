predicted <- data.frame(
  image = c("a.jpg", NA),
  label = factor(c("other", NA), levels = c("protest", "other")),
  prob = c(0.75, NA),
  prob_protest = c(0.25, NA),
  prob_other = c(0.75, NA),
  error = c(NA, "no path was given")
)
photos <- data.frame(photo = c("a.jpg", NA), label = c("protest", "other"))

test_that("classes and probabilities have tidymodels' names, one row a row", {
  verb <- fake_verb(function(arguments) predicted)
  local_fake_python(classify_images = verb)
  classes <- predict(fake_model(), photos, image_col = "photo", progress = FALSE)
  expect_equal(as.list(classes), list(.pred_class = predicted$label))
  probs <- predict(fake_model(), photos, type = "prob", image_col = "photo", progress = FALSE)
  expect_equal(as.list(probs), list(.pred_protest = c(0.25, NA), .pred_other = c(0.75, NA)))
  expect_identical(lapply(verb$calls(), `[[`, "probs"), list(FALSE, TRUE))
  expect_identical(verb$calls()[[1]]$images, photos["photo"] |> stats::setNames("image"))
})

test_that("augment adds them to the data, also where the data has the true label", {
  local_fake_python(classify_images = fake_verb(function(arguments) predicted))
  augmented <- augment.imagesasdata_model(fake_model(), photos, image_col = "photo", progress = FALSE)
  expect_named(augmented, c("photo", "label", ".pred_class", ".pred_protest", ".pred_other"))
  expect_identical(augmented$label, photos$label)
  again <- quote(augment.imagesasdata_model(fake_model(), augmented, image_col = "photo", progress = FALSE))
  expect_error(eval(again), class = "imagesasdata_column_exists")
})

test_that("augment is a method of generics", {
  skip_if_not_installed("generics")
  local_fake_python(classify_images = fake_verb(function(arguments) predicted))
  expect_named(generics::augment(fake_model(), c("a.jpg", NA), progress = FALSE)[1:2], c("image", ".pred_class"))
})

test_that("attributes and scores have names of their own", {
  answer <- data.frame(image = "a.jpg", fire = TRUE, flag = NA, prob_fire = 0.9, prob_flag = NA_real_, error = NA)
  local_fake_python(classify_images = fake_verb(function(arguments) answer))
  model <- fake_model("multi", c("fire", "flag"))
  expect_named(predict(model, "a.jpg", progress = FALSE), c(".pred_class_fire", ".pred_class_flag"))
  expect_named(predict(model, "a.jpg", type = "prob", progress = FALSE), c(".pred_fire", ".pred_flag"))

  local_fake_python(classify_images = fake_verb(function(arguments) data.frame(image = "a.jpg", score_violence = 0.5)))
  expect_named(predict(fake_model("score", "violence"), "a.jpg", progress = FALSE), ".pred_violence")
})

test_that("an unknown type is an error", {
  expect_error(predict(fake_model(), photos, type = "link"), "type")
})
