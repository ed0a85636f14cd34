odd_classes <- c("a^2", "x[1] ~ beta", "TRUE", "line\nbreak", "<b>html</b>", "frac(1, 2)", strrep("long ", 20))

test_that("every picture can be drawn, without a warning", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  for (classes in list(c("cat", "dog"), odd_classes, sprintf("class %d", 1:12), sprintf("class %d", 1:30))) {
    found <- evaluated(classes, n = 10 * length(classes))
    for (type in c("confusion", "roc", "pr", "calibration", "metrics")) {
      draws(ggplot2::autoplot(found, type))
    }
  }
  draws(ggplot2::autoplot(learned()))
  draws(ggplot2::autoplot(attributes_evaluated(), "confusion"))
  draws(ggplot2::autoplot(attributes_evaluated(sprintf("attribute %d", 1:14)), "confusion"))
  draws(ggplot2::autoplot(attributes_evaluated()))
  draws(ggplot2::autoplot(scores_evaluated()))
  draws(ggplot2::autoplot(scores_evaluated("violence")))
})

test_that("the picture by default fits the findings", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  expect_identical(default_picture(evaluated(), pictures_of(evaluated())), "confusion")
  expect_identical(default_picture(learned(), pictures_of(learned())), "learning_curve")
  expect_identical(default_picture(attributes_evaluated(), pictures_of(attributes_evaluated())), "metrics")
  expect_identical(pictures_of(scores_evaluated()), "metrics")
})

test_that("names of classes are shown as they are, never read as expressions", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated(odd_classes, n = 70)
  shown <- axis_labels(ggplot2::autoplot(found, "confusion"), "x")
  expect_type(shown, "character")
  expect_identical(shown[1:6], c("a^2", "x[1] ~ beta", "TRUE", "line break", "<b>html</b>", "frac(1, 2)"))
  expect_lte(nchar(shown[[7]]), 28)
  legend <- legend_labels(ggplot2::autoplot(found, "roc"))
  expect_type(legend, "character")
  expect_match(legend[[1]], "a^2 0.900 [0.820, 0.980]", fixed = TRUE)
})

test_that("two names that are shortened alike stay two classes", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated(paste0(strrep("a", 20), c("b", "c"), strrep("a", 20)), n = 20)
  expect_length(axis_labels(ggplot2::autoplot(found, "confusion"), "x"), 2)
})

test_that("a confusion matrix has counts and shares, and a dark cell light text", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated(c("cat", "dog"), n = 20)
  picture <- ggplot2::autoplot(found)
  text <- unlist(lapply(2:3, function(i) ggplot2::layer_data(picture, i)$label))
  diagonal <- found$confusion$n[found$confusion$truth == "cat" & found$confusion$label == "cat"]
  expect_true(sprintf("%d\n%.0f%%", diagonal, 100 * diagonal / 10) %in% text)
  expect_identical(unique(ggplot2::layer_data(picture, 3)$colour), "white")
  expect_identical(axis_labels(picture, "y"), c("dog (10)", "cat (10)"))
})

test_that("with many classes the pairs that are most often confused are drawn", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated(sprintf("class %d", 1:30), n = 300)
  picture <- ggplot2::autoplot(found, "confusion")
  expect_match(axis_labels(picture, "y"), "^class \\d+ as class \\d+$")
})

test_that("what more labels promise is drawn with its interval", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  expect_match(ggplot2::autoplot(learned())$labels$title, "+0.020 [0.005, 0.040]", fixed = TRUE)
})

test_that("of many classes the curves with the least area stand out", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated(sprintf("class %d", 1:9), n = 90)
  found$metrics$estimate[found$metrics$metric == "roc_auc"] <- seq(0.9, 0.5, length.out = 9)
  legend <- legend_labels(ggplot2::autoplot(found, "roc"))
  expect_identical(sub(" 0.*", "", legend), sprintf("class %d", 9:5))
})

test_that("colours are those that the colour-blind can tell apart", {
  # Okabe and Ito (2008), as palette.colors() has them, but for their yellow
  expect_in <- function(object, expected) expect_true(all(object %in% expected))
  expect_in(series_colours, grDevices::palette.colors(palette = "Okabe-Ito"))
  expect_identical(anyDuplicated(series_dashes), 0L)
})

test_that("the accuracy has what it can be compared with", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated()
  found$facts$ceiling <- 0.9
  picture <- ggplot2::autoplot(found, "metrics")
  expect_match(picture$labels$caption, "| most frequent class 0.333, coders' agreement 0.900", fixed = TRUE)
  expect_match(picture$labels$caption, "Less is better: Brier score 0.200 [0.120, 0.280], log loss", fixed = TRUE)
})

test_that("a group's picture has its groups, their sizes and the whole", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  rows <- rbind(metric_rows("accuracy", NA, 0.7, 30), metric_rows("accuracy", NA, 0.9, 1200))
  groups <- cbind(by = "city", group = c("Lima", "Oslo"), rows)
  facts <- list(task = "single", primary = "accuracy", estimate = 0.8, n = 1230L)
  found <- as_findings(fake_findings(list(metrics = rows, groups = groups), facts))
  picture <- ggplot2::autoplot(found, "groups")
  draws(picture)
  expect_identical(
    axis_labels(picture, "y"),
    c("Oslo (1,200)  0.900 [0.820, 0.980]", "Lima (30)  0.700 [0.620, 0.780]")
  )
  expect_snapshot(error = TRUE, ggplot2::autoplot(found, "groups", metric = "kappa"))
})

test_that("what cannot be drawn is an error that says what can", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  found <- evaluated()
  expect_snapshot(error = TRUE, {
    ggplot2::autoplot(found, "learning_curve")
    ggplot2::autoplot(found, 1)
    ggplot2::autoplot(found, "roc", class_name = "bird")
    ggplot2::autoplot(found, "confusion", class_name = "cat")
  })
  expect_error(ggplot2::autoplot(found, "roc", clas = "cat"))
})

test_that("plot shows the picture and returns the findings", {
  skip_if_not_installed("ggplot2")
  local_fake_python()
  file <- withr::local_tempfile(fileext = ".pdf")
  grDevices::pdf(file)
  withr::defer(grDevices::dev.off())
  found <- evaluated()
  expect_identical(withVisible(plot(found, "metrics")), list(value = found, visible = FALSE))
})

test_that("text on one line has nothing that nobody sees, and keeps its end", {
  expect_identical(short("a\tb\n\u202ec\u200b"), "a b c")
  expect_identical(short("0123456789.jpg", 12), "01234....jpg")
  expect_identical(short(NA), NA_character_)
  expect_identical(nchar(short(strrep("x", 100), 28)), 28L)
})

test_that("letters of a caption are as large as the column is wide", {
  skip_if_not_installed("ggplot2")
  size <- function(inches) {
    file <- withr::local_tempfile(fileext = ".pdf")
    grDevices::pdf(file, width = inches, height = 2)
    on.exit(grDevices::dev.off())
    made <- grid::makeContent(caption_grob(c("a", "b"), c("black", "red")))
    made$children[[1]]$gp$fontsize
  }
  expect_lt(size(1), size(1.2))
  expect_identical(size(8), 9)
})

test_that("photographs with errors are shown, and one that is gone is a tile with the reason", {
  skip_without_python()
  skip_if_not_installed("ggplot2")
  posts <- drawn_posts()
  predictions <- data.frame(
    image = c(basename(posts$photo[1:3]), "gone.png"),
    truth = c("x", "x", "y", "y"),
    label = c("y", "x", "x", "x"),
    prob = c(0.6, 0.7, 0.9, 0.8)
  )
  found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 0))
  picture <- ggplot2::autoplot(found, "errors", image_dir = dirname(posts$photo[[1]]))
  draws(picture)
  words <- lapply(picture$layers, function(layer) layer$geom_params$grob$lines)
  captions <- Filter(function(lines) length(lines) == 3, words)
  expect_identical(captions[[1]], c("hand: y", "model: x (0.90)", "c.png"))
  expect_length(captions, 3)
  expect_true("file does not exist" %in% unlist(words))
  rasters <- Filter(Negate(is.null), lapply(picture$layers, function(layer) layer$geom_params$raster))
  expect_length(rasters, 2)
  expect_length(ggplot2::autoplot(found, "uncertain", n = 1, image_dir = dirname(posts$photo[[1]]))$layers, 2)
  expect_snapshot(error = TRUE, ggplot2::autoplot(found, "errors", image_dir = "/no/such/folder"))
})
