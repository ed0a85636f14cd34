# Several labels an image, in a long table.

#' Tag photographs
#'
#' Lists for each photograph the classes that a model finds most probable, one row for each, the most probable first.
#'
#' @inheritParams classify_images
#' @param top Largest number of tags an image: a whole number above 0.
#' @param threshold Smallest probability of a tag, from 0 to 1.
#' @returns A tibble, or a data frame where tibble is not installed, with the columns `image`, `rank` (1 for the most
#'   probable tag), `tag` (a factor with all classes of the model as levels), `prob` (from 0 to 1) and `error`. An image
#'   that cannot be read, or without a tag of that probability, has one row in which `rank`, `tag` and `prob` are
#'   missing, so that no join loses an image. A data frame given as `images` is not joined: its paths are
#'   the column `image`.
#' @inheritSection classify_images Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' tag_images(photo, top = 3, progress = FALSE)
tag_images <- function(
  images,
  top = 5,
  threshold = 0,
  model = "efficientnet_lite0",
  image_col = NULL,
  image_dir = NULL,
  device = "auto",
  batch_size = "auto",
  progress = TRUE,
  on_error = "record",
  max_pixels = 1e8,
  max_bytes = 2e8,
  out = NULL,
  retry_failed = FALSE,
  overwrite = FALSE,
  cache = TRUE,
  precision = "fp32"
) {
  run_verb("tag_images", as.list(environment()), long = TRUE)
}
