# What a picture shows: the text of its axes, legends and panels, and the data of its layers.
axis_labels <- function(picture, axis) {
  as.vector(ggplot2::ggplot_build(picture)$layout$panel_params[[1]][[axis]]$get_labels())
}

legend_labels <- function(picture) {
  ggplot2::ggplot_build(picture)$plot$scales$get_scales("colour")$get_labels()
}

draws <- function(picture) {
  file <- withr::local_tempfile(fileext = ".png")
  testthat::expect_silent(ggplot2::ggsave(file, picture, width = 5, height = 4, dpi = 50))
  testthat::expect_gt(file.size(file), 1000)
}
