# With the real Python package and its models. Absent, these are skipped; see helper-python.R.

test_that("a data frame comes back whole, and broken images are rows", {
  skip_without_python()
  posts <- drawn_posts()
  result <- classify_images(posts, image_col = "photo", progress = FALSE)
  expect_identical(as.list(result)[1:3], as.list(posts))
  expect_named(result, c(names(posts), "label", "prob", "error"))
  expect_identical(is.na(result$label), c(FALSE, FALSE, FALSE, TRUE, TRUE))
  expect_identical(is.na(result$error), !is.na(result$label))
  expect_identical(levels(result$label), load_model()$card$classes)
  expect_identical(attr(result, "imagesasdata")$verb, "classify_images")
})

test_that("folder, paths and data frame give the same labels", {
  skip_without_python()
  posts <- drawn_posts()
  by_column <- classify_images(posts[1:4, ], image_col = "photo", progress = FALSE)
  by_path <- classify_images(posts$photo[1:4], progress = FALSE)
  by_folder <- classify_images(dirname(posts$photo[[1]]), progress = FALSE)
  expect_identical(by_path$label, by_column$label)
  expect_identical(by_path$prob, by_column$prob)
  expect_equal(by_folder[match(by_path$image, by_folder$image), ], by_path, ignore_attr = TRUE)
})

test_that("a file of posts is read, and long identifiers stay what they are", {
  skip_without_python()
  posts <- drawn_posts()
  file <- withr::local_tempfile(fileext = ".csv")
  posts$id <- c("1152921504606846977", "2", "3", "4", "5")
  utils::write.csv(posts, file, row.names = FALSE, na = "")
  result <- classify_images(file, image_col = "photo", progress = FALSE)
  expect_identical(result$id, posts$id)
  expect_identical(result$photo, posts$photo)
  expect_identical(is.na(result$label), c(FALSE, FALSE, FALSE, TRUE, TRUE))
})

test_that("no rows in, no rows out, with all levels", {
  skip_without_python()
  posts <- drawn_posts()[0, ]
  result <- classify_images(posts, image_col = "photo", progress = FALSE)
  expect_identical(nrow(result), 0L)
  expect_identical(levels(result$label), load_model()$card$classes)
  expect_identical(nrow(classify_images(character(), progress = FALSE)), 0L)
})

test_that("tags are long and lose no image", {
  skip_without_python()
  posts <- drawn_posts()
  tags <- tag_images(posts, top = 2, image_col = "photo", progress = FALSE)
  expect_named(tags, c("image", "rank", "tag", "prob", "error"))
  expect_identical(tags$rank, c(1L, 2L, 1L, 2L, 1L, 2L, NA, NA))
})

test_that("embeddings are numbers", {
  skip_without_python()
  posts <- drawn_posts()
  numbers <- embed_images(posts, image_col = "photo", progress = FALSE)
  expect_identical(dim(numbers), c(5L, 3L + 1280L + 1L))
  expect_type(numbers$embedding_1280, "double")
})

test_that("every error of Python has its class, its text and no traceback", {
  skip_without_python()
  posts <- drawn_posts()
  expect_snapshot(error = TRUE, {
    classify_images(posts, image_col = "picture")
    classify_images(posts)
    classify_images(cbind(posts, label = 1), image_col = "photo", progress = FALSE)
    classify_images(posts, image_col = "photo", batch_size = 2.5, progress = FALSE)
    tag_images(posts, top = 0, image_col = "photo")
    tag_images(posts, threshold = 2, image_col = "photo")
    merge_predictions(posts, data.frame(image = "x", label = "y"))
  })
})

test_that("classes of errors", {
  skip_without_python()
  posts <- drawn_posts()
  expect_error(classify_images(posts), class = "imagesasdata_image_column_missing")
  expect_error(classify_images("/no/such/folder"), class = "imagesasdata_images_not_found")
  expect_error(load_model("no_such_model"), class = "imagesasdata_model_not_found")
  expect_error(
    classify_images(posts, image_col = "photo", device = "abacus", progress = FALSE),
    class = "imagesasdata_argument_invalid"
  )
  expect_error(
    classify_images(posts, image_col = "photo", on_error = "stop", progress = FALSE),
    class = "imagesasdata_image_failed"
  )
})

test_that("progress is reported on the way", {
  skip_without_python()
  seen <- NULL
  posts <- drawn_posts()
  classify_images(posts, image_col = "photo", batch_size = 1, progress = function(done, total, text) {
    seen <<- rbind(seen, data.frame(done, total, text))
  })
  expect_identical(seen$done, 0:5)
  expect_identical(unique(seen$total), 5L)
  expect_match(seen$text, "^efficientnet_lite0 on ")
  boom <- function(done, total, text) rlang::abort("boom", class = "boom")
  expect_error(classify_images(posts, image_col = "photo", progress = boom), class = "boom")
})

test_that("an interrupt is an interrupt", {
  skip_without_python()
  posts <- drawn_posts()
  stop_it <- function(done, total, text) rlang::interrupt()
  caught <- tryCatch(
    classify_images(posts, image_col = "photo", progress = stop_it),
    interrupt = function(cnd) "interrupt"
  )
  expect_identical(caught, "interrupt")
})

test_that("predictions are merged, and what does not match is a warning", {
  skip_without_python()
  posts <- drawn_posts()
  predictions <- classify_images(posts$photo[1:4], progress = FALSE)
  expect_warning(
    merged <- merge_predictions(posts, predictions, by = c(photo = "image")),
    class = "imagesasdata_warning"
  )
  expect_identical(as.list(merged)[1:3], as.list(posts))
  expect_identical(merged$label[1:4], predictions$label)
  expect_identical(attr(merged, "imagesasdata")$model, "efficientnet_lite0")
  expect_identical(attr(merged, "imagesasdata")$merge$rows_unmatched, 1L)
})

test_that("images of one unit are summed up", {
  skip_without_python()
  posts <- data.frame(post = c("a", "b"), likes = 1:2)
  photos <- data.frame(post = c("a", "a", "b"), label = factor(c("protest", "other", "other")))
  merged <- merge_predictions(posts, photos, by = "post", how = "any")
  expect_identical(merged$any_protest, c(TRUE, FALSE))
  expect_identical(merged$n_images, 2:1)
})

test_that("a model from a file works in another session", {
  skip_without_python()
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(load_model(), file)
  photo <- drawn_posts()$photo[[1]]
  python <- reticulate::py_config()$python
  classify <- function(file, photo) {
    imagesasdata::classify_images(photo, model = readRDS(file), progress = FALSE)
  }
  there <- in_new_session(classify, file, photo, env = c(RETICULATE_PYTHON = python))
  expect_identical(there$label, classify_images(photo, progress = FALSE)$label)
})

test_that("models, cards and the doctor can be read", {
  skip_without_python()
  models <- list_models()
  expect_true("efficientnet_lite0" %in% models$name)
  expect_identical(load_model()$sha256, models$sha256[models$name == "efficientnet_lite0"])
  expect_match(model_card(), "^# efficientnet_lite0")
  report <- iad_doctor()
  expect_named(report, c("item", "value", "status", "advice"))
  expect_output(print(report), "R package imagesasdata")
})

test_that("predict and augment work on a real model", {
  skip_without_python()
  posts <- drawn_posts()
  probs <- predict(load_model(), posts, type = "prob", image_col = "photo", progress = FALSE)
  expect_equal(rowSums(probs), c(1, 1, 1, NA, NA))
  expect_identical(names(probs)[[1]], ".pred_tench")
})

test_that("a model can be added, used by name and removed", {
  skip_without_python()
  copy <- file.path(withr::local_tempdir(), "taken_in.onnx")
  file.copy(load_model()$path, copy)
  path <- add_model(copy, overwrite = TRUE)
  withr::defer(unlink(path))
  expect_true(file.exists(path))
  expect_identical(load_model("taken_in")$name, "taken_in")
  remove_model("taken_in")
  expect_error(load_model("taken_in"), class = "imagesasdata_model_not_found")
})

test_that("adding what is no model says so", {
  skip_without_python()
  page <- withr::local_tempfile(fileext = ".onnx", lines = "<html>")
  expect_error(add_model(page, classes = c("a", "b")), "not an ONNX model", class = "imagesasdata_model_invalid")
})

test_that("a run with out goes on where it was, and refuses other images", {
  skip_without_python()
  photos <- drawn_posts()$photo
  out <- file.path(withr::local_tempdir(), "labels.csv")
  data <- data.frame(id = c("x", "y"), photo = photos[1:2])
  first <- classify_images(data, image_col = "photo", out = out, progress = FALSE)
  again <- classify_images(data, image_col = "photo", out = out, progress = FALSE)
  expect_identical(first$label, again$label)
  written <- utils::read.csv(out)
  expect_named(written, c("id", "photo", "label", "prob", "error"))
  expect_identical(written$id, c("x", "y"))
  expect_error(
    classify_images(photos[1], out = out, progress = FALSE),
    "is gone|are gone",
    class = "imagesasdata_run_differs"
  )
})

test_that("several models run in one pass", {
  skip_without_python()
  photos <- drawn_posts()$photo
  several <- c("efficientnet_lite0", "efficientnet_lite2")
  both <- classify_images(photos, models = several, progress = FALSE)
  expect_named(
    both,
    c(
      "image",
      "efficientnet_lite0_label",
      "efficientnet_lite0_prob",
      "efficientnet_lite2_label",
      "efficientnet_lite2_prob",
      "error"
    )
  )
  one <- classify_images(photos, model = "efficientnet_lite2", progress = FALSE)
  expect_identical(both$efficientnet_lite2_label, one$label)
  models <- lapply(several, load_model)
  expect_identical(classify_images(photos, models = models, progress = FALSE), both, ignore_attr = TRUE)
})

test_that("the cache can be shown", {
  skip_without_python()
  classify_images(drawn_posts()$photo, progress = FALSE)
  info <- cache_info()
  expect_named(info, c("folder", "files", "images", "megabytes"))
  expect_gt(info$images, 0)
})
