# What depends on the session: which packages there are, what was kept from another one, how it treats warnings, where
# its output goes.

# The packages of this library but for some, in a library of its own.
library_without <- function(packages, frame = parent.frame()) {
  library <- withr::local_tempdir(.local_envir = frame)
  there <- setdiff(rownames(utils::installed.packages()), packages)
  file.symlink(find.package(there), file.path(library, there))
  library
}

# Here and not in test_that(): a function brings its environment along to the other session.
without_packages <- function(library, hidden) {
  .libPaths(library, include.site = FALSE)
  if (any(vapply(hidden, requireNamespace, TRUE, quietly = TRUE))) {
    return(NULL) # they are in R's own library, which cannot be left out
  }
  iad <- asNamespace("imagesasdata")
  metrics <- data.frame(metric = "accuracy", class = NA, estimate = 0.5, conf_low = 0, conf_high = 1, n = 9)
  tables <- list(metrics = iad$as_table(as.list(metrics), 1))
  kinds <- c("imagesasdata_evaluation", "imagesasdata_findings")
  found <- structure(c(tables, list(lines = "Evaluation")), class = kinds)
  list(
    table = class(iad$stream_to_frame(iad$frame_to_stream(data.frame(a = 1:2)))),
    joined = class(iad$add_columns(data.frame(a = 1:2), data.frame(b = 3:4))),
    frame = as.data.frame(found),
    printed = utils::capture.output(print(found), summary(found)),
    plotted = tryCatch(plot(found), error = identity)
  )
}

test_that("without tibble there are data frames, and without ggplot2 an error with the cure", {
  skip_on_os("windows") # links need rights there
  hidden <- c("tibble", "ggplot2", "generics")
  seen <- in_new_session(without_packages, library_without(hidden), hidden)
  skip_if(is.null(seen), "tibble is in R's own library")
  expect_identical(seen$table, "data.frame")
  expect_identical(seen$joined, "data.frame")
  expect_identical(seen$frame$estimate, 0.5)
  expect_match(seen$printed, "accuracy", all = FALSE)
  expect_s3_class(seen$plotted, "imagesasdata_dependency_missing")
  expect_match(conditionMessage(seen$plotted), "install.packages(\"ggplot2\")", fixed = TRUE)
})

with_real_python <- function() c(RETICULATE_PYTHON = reticulate::py_config()$python)

read_again <- function(file) {
  library(imagesasdata)
  kept <- readRDS(file)
  found <- kept$found
  before <- reticulate::py_available()
  list(
    python = before,
    printed = utils::capture.output(print(found)),
    rows = nrow(as.data.frame(found)),
    levels = levels(kept$result$label),
    table = class(kept$result),
    provenance = attr(kept$result, "imagesasdata")$verb,
    again = imagesasdata::classify_images(kept$result["photo"], kept$model, image_col = "photo", progress = FALSE)$label
  )
}

test_that("results, findings and models that were kept can be read in a new session, without Python", {
  skip_without_python()
  posts <- drawn_posts()
  result <- classify_images(posts, image_col = "photo", progress = FALSE)
  predictions <- data.frame(image = posts$photo[1:3], truth = c("x", "x", "y"), label = c("y", "x", "y"))
  found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 0))
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(list(result = result, found = found, model = load_model()), file)
  expect_identical(readRDS(file)$result, result)
  seen <- in_new_session(read_again, file, env = with_real_python())
  expect_false(seen$python)
  expect_identical(seen$printed, utils::capture.output(print(found)))
  expect_identical(seen$rows, nrow(found$metrics))
  expect_identical(seen$levels, levels(result$label))
  expect_identical(seen$table, class(result))
  expect_identical(seen$provenance, "classify_images")
  expect_identical(seen$again, result$label)
})

several_verbs <- function(photos) {
  options(warn = 2)
  library(imagesasdata)
  data <- data.frame(id = c("01", "02"), photo = photos)
  labels <- classify_images(data, image_col = "photo", progress = FALSE)
  numbers <- embed_images(data, image_col = "photo", progress = FALSE)
  merged <- merge_predictions(data, labels[c("photo", "label")], by = "photo")
  list(
    id = labels$id,
    merged = identical(merged$label, labels$label),
    numbers = dim(numbers),
    tags = nrow(tag_images(photos, top = 2, progress = FALSE)),
    warned = tryCatch(
      merge_predictions(data, labels[1, c("photo", "label")], by = "photo"),
      error = function(cnd) conditionMessage(cnd)
    )
  )
}

test_that("several verbs in one session where warnings are errors", {
  skip_without_python()
  seen <- in_new_session(several_verbs, drawn_posts()$photo[1:2], env = with_real_python())
  expect_identical(seen$id, c("01", "02"))
  expect_true(seen$merged)
  expect_identical(seen$numbers, c(2L, 2L + 1280L + 1L))
  expect_identical(seen$tags, 4L)
  expect_match(seen$warned, "1 .*row")
})

knit_article <- function(photo) {
  folder <- dirname(photo)
  article <- file.path(folder, "article.Rmd")
  code <- sprintf("labels <- imagesasdata::classify_images(rep(\"%s\", 3))", photo)
  writeLines(c("Before.", "", "```{r}", code, "nrow(labels)", "```", "", "After."), article)
  knitr::opts_knit$set(progress = FALSE)
  readLines(knitr::knit(article, file.path(folder, "article.md"), quiet = TRUE))
}

test_that("a bar leaves nothing in a knitted article", {
  skip_without_python()
  skip_if_not_installed("knitr")
  page <- in_new_session(knit_article, drawn_posts()$photo[[1]], env = with_real_python())
  expect_identical(page[c(1, length(page))], c("Before.", "After."))
  expect_identical(grep("^##", page, value = TRUE), "## [1] 3")
})

test_that("200,000 rows go to Python and come back", {
  skip_without_python()
  rows <- 2e5
  data <- data.frame(post = sprintf("%07d", seq_len(rows)), likes = seq_len(rows))
  predictions <- data.frame(post = rev(data$post), label = factor(c("no", "yes"), c("yes", "no", "never")))
  merged <- merge_predictions(data, predictions, by = "post")
  expect_identical(as.list(merged)[1:2], as.list(data))
  expect_identical(merged$label, rev(predictions$label))
})

test_that("where every image failed there is a table of errors, with all levels", {
  skip_without_python()
  broken <- data.frame(id = c("01", "2"), photo = c("no such.jpg", NA))
  result <- classify_images(broken, image_col = "photo", progress = FALSE)
  expect_identical(result$id, broken$id)
  expect_true(all(is.na(result$label) & is.na(result$prob)))
  expect_false(anyNA(result$error))
  expect_identical(levels(result$label), load_model()$card$classes)
  numbers <- embed_images(broken, image_col = "photo", progress = FALSE)
  expect_true(all(is.na(numbers$embedding_1)))
  expect_identical(nrow(find_duplicates(broken, image_col = "photo", progress = FALSE)), 0L)
  expect_identical(nrow(classify_images(drawn_posts()[1, ], image_col = "photo", progress = FALSE)), 1L)
})
