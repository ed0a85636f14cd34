labelled <- data.frame(image = c("a.jpg", "b.jpg"), label = factor(c("x", "y")), account = c("1", "2"))

# A fine-tuned model as Python hands it over.
fake_tuned <- function(validation = NULL, notes = character()) {
  card <- fake_card() # nolint: object_usage_linter. It is in helper-fake.R.
  card$metrics <- list(source = "5-fold cross-validation, and more", accuracy = c(0.873, 0.837, 0.902))
  list(
    card = list(to_json = function() as.character(jsonlite::toJSON(card, auto_unbox = TRUE))),
    path = "/models/fake.onnx",
    sha256 = strrep("0123456789abcdef", 4),
    validation = validation,
    notes = as.list(notes)
  )
}

test_that("a fine-tuned model is a model with its validation, plain R, and the notes are warnings", {
  validation <- fake_findings(list(metrics = metric_rows("accuracy", NA, 0.5, 9)), kind = "cross_validation")
  verb <- fake_verb(function(arguments) fake_tuned(validation, c("one", "two")))
  local_fake_python(fine_tune = verb)
  warned <- testthat::capture_warnings(model <- fine_tune(labelled, out = "fake.onnx", groups = "account"))
  expect_identical(warned, c("one", "two"))
  expect_s3_class(model, "imagesasdata_model", exact = TRUE)
  expect_named(model, c("name", "path", "sha256", "card", "validation"))
  expect_s3_class(model$validation, "imagesasdata_cross_validation")
  expect_identical(unserialize(serialize(model, NULL)), model)
  expect_identical(verb$calls()[[1]]$labels$account, labelled$account)
  expect_identical(verb$calls()[[1]]$folds, 5L)
})

test_that("an interrupted one has no validation", {
  local_fake_python(fine_tune = fake_verb(function(arguments) fake_tuned(notes = "Interrupted: the best so far.")))
  expect_warning(model <- fine_tune(labelled, out = "fake.onnx"), "Interrupted", class = "imagesasdata_warning")
  expect_null(model$validation)
  expect_snapshot(error = TRUE, glance.imagesasdata_model(model))
})

test_that("a model prints its measured quality, and tidy and glance are those of its validation", {
  skip_if_not_installed("generics")
  validation <- fake_findings(list(metrics = metric_rows("accuracy", NA, 0.5, 9)), list(n = 9L), "cross_validation")
  local_fake_python(fine_tune = fake_verb(function(arguments) fake_tuned(validation)))
  model <- fine_tune(labelled, out = "fake.onnx")
  expect_snapshot(print(model))
  expect_identical(generics::tidy(model), generics::tidy(model$validation))
  expect_identical(generics::glance(model), generics::glance(model$validation))
})

test_that("pictures of a model are those of its validation", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  model <- fake_model()
  model$validation <- evaluated()
  picture <- ggplot2::autoplot(model, "roc")
  expect_identical(picture$data, ggplot2::autoplot(model$validation, "roc")$data)
  grDevices::pdf(NULL)
  withr::defer(grDevices::dev.off())
  expect_identical(withVisible(plot(model, "roc")), list(value = model, visible = FALSE))
  expect_error(ggplot2::autoplot(fake_model()), "has no `validation`", class = "imagesasdata_argument_invalid")
  expect_error(plot(fake_model()), "has no `validation`", class = "imagesasdata_argument_invalid")
})

test_that("weights, sizes and the backbone are sent as Python wants them", {
  verb <- fake_verb(function(arguments) fake_findings(list(metrics = data.frame(n = 1)), kind = "cross_validation"))
  local_fake_python(cross_validate = verb, learning_curve = verb)
  cross_validate("labels.csv", class_weights = c(x = 2, y = 1), backbone = fake_model(), repeats = 2)
  cross_validate(labelled, class_weights = "balanced", label_col = c(a = "x", b = "y"))
  learning_curve("labels.csv", sizes = 50)
  learning_curve("labels.csv", sizes = c(50, 100.5))
  sent <- verb$calls()
  expect_identical(sent[[1]]$class_weights, list(x = 2, y = 1))
  expect_identical(sent[[1]]$backbone, "/models/fake.onnx")
  expect_identical(sent[[1]]$repeats, 2L)
  expect_identical(sent[[2]]$class_weights, "balanced")
  expect_identical(sent[[2]]$label_col, c("x", "y"))
  expect_identical(sent[[3]]$sizes, list(50L))
  expect_identical(sent[[4]]$sizes, list(50L, 100.5))
  expect_false(any(c("coders", "groups", "epochs") %in% names(sent[[1]])))
  expect_snapshot(error = TRUE, cross_validate("labels.csv", class_weights = c(2, 1)))
  expect_snapshot(error = TRUE, cross_validate(7))
})

test_that("labels become a model that can be kept and used", {
  skip_without_python()
  photos <- labelled_photos()
  out <- file.path(withr::local_tempdir(), "shapes.onnx")
  model <- suppressWarnings(fine_tune(photos, out = out, method = "head", folds = 3, progress = FALSE))
  expect_identical(model$card$classes, c("blobs", "stripes"))
  expect_identical(model$name, "shapes")
  expect_gt(model$validation$facts$estimate, 0.8)
  expect_identical(nrow(model$validation$predictions), nrow(photos))
  expect_type(model$validation$predictions$fold, "integer")
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(model, file)
  again <- readRDS(file)
  expect_identical(again, model)
  predicted <- predict(again, photos, image_col = "image", progress = FALSE)
  expect_identical(levels(predicted$.pred_class), model$card$classes)
  expect_match(format(model), "accuracy .* \\(3-fold cross-validation\\)", all = FALSE)
  expect_match(format(load_model(out)), "accuracy .* \\(3-fold cross-validation\\)", all = FALSE)
  expect_error(fine_tune(photos, out = out, progress = FALSE), class = "imagesasdata_argument_invalid")
})

test_that("data frame, table file and folders of classes give the same figures", {
  skip_without_python()
  photos <- labelled_photos()
  quality <- function(labels) suppressWarnings(cross_validate(labels, folds = 2, progress = FALSE))
  by_frame <- quality(photos)
  file <- withr::local_tempfile(fileext = ".csv")
  utils::write.csv(photos, file, row.names = FALSE)
  expect_identical(quality(file)$metrics, by_frame$metrics)
  by_folder <- quality(dirname(dirname(photos$image[[1]])))
  expect_equal(by_folder$facts$estimate, by_frame$facts$estimate)
  expect_identical(nrow(by_frame$folds), 2L)
})

test_that("logical columns are attributes and numbers are scores", {
  skip_without_python()
  photos <- labelled_photos()
  photos$round <- photos$label == "blobs"
  photos$odd <- seq_len(nrow(photos)) %% 2 == 1
  photos$size <- seq_len(nrow(photos)) + 0.5
  validate <- function(columns) {
    suppressWarnings(cross_validate(photos, label_col = columns, folds = 2, progress = FALSE))
  }
  attributes <- validate(c("round", "odd"))
  expect_identical(attributes$facts$task, "multi")
  expect_identical(attributes$facts$classes, c("round", "odd"))
  expect_true(all(c("truth_round", "prob_round") %in% names(attributes$predictions)))
  scores <- validate("size")
  expect_identical(scores$facts$task, "score")
  expect_identical(scores$facts$classes, "size")
})

test_that("a learning curve has a row a size", {
  skip_without_python()
  photos <- labelled_photos()
  curve <- suppressWarnings(learning_curve(photos, sizes = c(10, 12), repeats = 1, progress = FALSE))
  expect_s3_class(curve, "imagesasdata_learning_curve")
  expect_equal(curve$curve$n, c(10, 12))
})

test_that("stages of training are reported, each with its own total", {
  skip_without_python()
  photos <- labelled_photos()
  seen <- NULL
  report <- function(done, total, text) seen <<- rbind(seen, data.frame(done, total, text))
  suppressWarnings(cross_validate(photos, folds = 2, progress = report))
  ends <- vapply(split(seen, seen$text), function(stage) stage$done[nrow(stage)] == stage$total[1], TRUE)
  expect_true(all(ends))
  expect_gt(length(ends), 1)
})

test_that("errors of training have their class and their text", {
  skip_without_python()
  photos <- labelled_photos()
  expect_error(cross_validate(photos[photos$label == "blobs", ]), class = "imagesasdata_labels_invalid")
  expect_error(
    cross_validate(photos, folds = 2.5, progress = FALSE),
    "`folds` is 2.5",
    class = "imagesasdata_argument_invalid"
  )
  expect_snapshot(error = TRUE, {
    cross_validate(photos, method = "magic")
    cross_validate(photos, image_col = "photo")
    cross_validate(photos, label_col = "labels")
    fine_tune(photos)
  })
})
