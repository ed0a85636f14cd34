fake_report <- function() {
  got <- list()
  from_json <- function(text, tables) list(text = text, tables = tables)
  list(
    write_report = function(...) {
      got <<- list(...)
      "report.html"
    },
    Findings = list(from_json = from_json),
    got = function() got
  )
}

test_that("a report is of findings that go back to Python", {
  fake <- fake_report()
  local_fake_python(write_report = fake$write_report, Findings = fake$Findings)
  found <- evaluated()
  written <- withVisible(write_report(found, "report.html", image_dir = "photos"))
  expect_identical(written, list(value = "report.html", visible = FALSE))
  expect_identical(fake$got()$findings$text, attr(found, "json"))
  expect_identical(fake$got()$findings$tables$roc, found$roc, ignore_attr = TRUE)
  expect_identical(
    fake$got()[c("out", "image_dir", "overwrite")],
    list(
      out = "report.html",
      image_dir = "photos",
      overwrite = FALSE
    )
  )
  expect_false("model" %in% names(fake$got()))
})

test_that("a model stands for its validation and itself", {
  fake <- fake_report()
  local_fake_python(write_report = fake$write_report, Findings = fake$Findings)
  model <- fake_model()
  model$validation <- evaluated()
  write_report(model, "report.html")
  expect_identical(fake$got()$model, "/models/fake.onnx")
  expect_identical(fake$got()$findings$text, attr(model$validation, "json"))
  write_report(model, "report.html", model = "other.onnx")
  expect_identical(fake$got()$model, "other.onnx")
})

test_that("what has no findings is an error", {
  local_fake_python()
  expect_snapshot(error = TRUE, write_report(data.frame(), "report.html"))
  expect_snapshot(error = TRUE, write_report(fake_model(), "report.html"))
})

test_that("a report is one page with the figures and the names, which are text and not HTML", {
  skip_without_python()
  predictions <- data.frame(
    image = sprintf("%d.jpg", 1:40),
    truth = rep(c("<b>x</b>", "y"), 20),
    label = rep(c("<b>x</b>", "y", "y", "y"), 10)
  )
  found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 10))
  out <- file.path(withr::local_tempdir(), "report.html")
  expect_identical(write_report(found, out), out)
  page <- paste(readLines(out, warn = FALSE), collapse = "\n")
  expect_match(page, "Evaluation of 40 photographs", fixed = TRUE)
  expect_match(page, "&lt;b&gt;x", fixed = TRUE)
  expect_no_match(page, "<b>x</b>", fixed = TRUE)
  expect_error(write_report(found, out), class = "imagesasdata_argument_invalid")
  expect_identical(write_report(found, out, overwrite = TRUE), out)
})

test_that("findings that were kept can be drawn and reported in another session", {
  skip_without_python()
  skip_if_not_installed("ggplot2")
  posts <- drawn_posts()
  predictions <- data.frame(image = posts$photo[1:3], truth = c("x", "x", "y"), label = c("y", "x", "y"))
  found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 0))
  report <- function(found, out) {
    imagesasdata::write_report(found, out)
    length(ggplot2::autoplot(found, "errors")$layers)
  }
  out <- file.path(withr::local_tempdir(), "report.html")
  layers <- in_new_session(report, found, out, env = c(RETICULATE_PYTHON = reticulate::py_config()$python))
  expect_identical(layers, 2L)
  expect_true(file.exists(out))
})

test_that("where a model sees a class is drawn beside the photograph", {
  skip_without_python()
  skip_if_not_installed("ggplot2")
  photo <- tempfile(fileext = ".png")
  grDevices::png(photo, 300, 200)
  graphics::image(volcano)
  grDevices::dev.off()
  picture <- plot_saliency(photo, class_name = "tench")
  expect_match(picture$labels$title, "tench \\(0\\.\\d\\d\\)$")
  expect_no_error(ggplot2::ggplot_build(picture))
  expect_error(plot_saliency("/no/such.jpg"), class = "imagesasdata_image_failed")
  expect_error(plot_saliency(1), class = "imagesasdata_argument_invalid")
  # All colour where the map is 1: 0.65 of viridis and 0.35 of the photograph in grey.
  over <- heat_over(array(1, c(2, 2, 3)), matrix(c(0, 0, 1, 1), 2))
  expect_equal(over[1, 2, ], 0.35 + 0.65 * as.numeric(grDevices::col2rgb(grDevices::hcl.colors(256)[256])) / 255)
})

test_that("a saliency map is a matrix between 0 and 1, as large as what the model sees", {
  skip_without_python()
  photo <- drawn_posts()$photo[[1]]
  map <- saliency_map(photo)
  expect_identical(dim(map), c(224L, 224L))
  expect_gte(min(map), 0)
  expect_identical(max(map), 1)
  expect_identical(saliency_map(photo, load_model(), class_name = "tench"), saliency_map(photo, class_name = "tench"))
  expect_error(saliency_map("/no/such.jpg"), class = "imagesasdata_image_failed")
  expect_snapshot(error = TRUE, {
    saliency_map(c("a.jpg", "b.jpg"))
    saliency_map(photo, class_name = "no such class")
  })
})
