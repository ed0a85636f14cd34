# Photographs to labels, and photographs to numbers.

#' Classify photographs
#'
#' Runs a model over photographs and returns a data frame with one row for each, in the order given. Broken images are
#' rows with a text in `error`. The work is done in Python threads on all cores, or on a GPU; Ctrl-C ends it.
#'
#' @param images A folder (searched recursively, sorted by path), a pattern such as `"photos/*.jpg"`, a path, a vector
#'   of paths, a data frame with a column of paths, or the path of a .csv, .parquet, .feather or .dta file with such a
#'   column. A missing path (`NA`) is a row with an error.
#' @param model Name of a model (see [list_models()]), path of an `.onnx` file, or a model from [load_model()].
#' @param image_col Name of the column of paths, where `images` is a data frame or a file with one.
#' @param image_dir Folder in which relative paths start. `NULL`: the working directory.
#' @param device `"auto"` (the best there is), `"cpu"`, or a device such as `"cuda"`, `"cuda:1"` or `"tensorrt"`; one
#'   that is not there is an error.
#' @param batch_size Images that go through the model at once: a whole number above 0, or `"auto"`.
#' @param probs `TRUE`: a column `prob_<class>` for each class. `FALSE`: none. `NULL`: only where the model has 25
#'   classes or fewer.
#' @param progress `TRUE` (a bar), `FALSE`, or a function that is called as `progress(done, total, text)`, where `text`
#'   names the model and the device.
#' @param on_error `"record"`: an image that cannot be read is a row with `error`. `"stop"`: it is an error.
#' @param max_pixels,max_bytes Larger images, in pixels (width times height) or bytes, are not opened and are rows with
#'   an `error`: a small file can unpack to more than the memory holds.
#' @param models Several models in place of `model`: a vector of names or paths, or a list of models. Each photograph is
#'   decoded once, models with a common backbone share its work, and the columns of each begin with the model's name,
#'   such as `protest_label`.
#' @param out A table file (.parquet, .csv, .feather, .dta) or a folder to write to while the run goes on. After a crash
#'   or an interrupt, the same call goes on where it was. The parts are kept in the folder, or in `<out>.run`.
#' @param retry_failed With `out`: whether to try the images again that failed in the earlier run.
#' @param overwrite With `out`: whether to throw away an earlier run, whatever it was.
#' @param cache Whether to take embeddings of photographs that were seen before from the user's cache, and to keep new
#'   ones there (see [cache_info()]). The results are the same.
#' @param precision `"fp32"`, or `"fp16"` for a GPU: faster and a little less exact. It is checked against full
#'   precision when the model is opened, and refused where it changes what the network says.
#'
#' @returns A tibble, or a data frame where tibble is not installed. The columns depend on the task of the model:
#'
#' * exclusive classes: `image`, `label` (a factor with all classes of the model as levels), `prob` (from 0 to 1),
#'   `prob_<class>`, `error`;
#' * several attributes at once: `image`, then `<attribute>` (logical) and `prob_<attribute>` for each, `error`;
#' * scores: `image`, `score_<name>` for each, `error`.
#'
#' Where `images` is a data frame the result is that data frame, every row and column as it was, with these columns
#' added; its own column of paths stands for `image`. The attribute `imagesasdata` of the result is a list that says
#' which model, device and versions made it. An interrupt (Ctrl-C) returns the rows that are done, with a warning.
#'
#' @section Errors:
#' `imagesasdata_image_column_missing`, `imagesasdata_images_not_found`, `imagesasdata_image_failed` (with
#' `on_error = "stop"`), `imagesasdata_column_exists` (a column to be added is there already),
#' `imagesasdata_run_differs` (`out` holds a run of other images, models or options), `imagesasdata_run_unwritable`,
#' `imagesasdata_model_not_found`, `imagesasdata_device_unavailable`, `imagesasdata_argument_invalid`, and
#' `imagesasdata_python_missing` or `imagesasdata_package_missing` where [install_imagesasdata()] has not been run.
#'
#' @seealso [tag_images()] for several labels an image, [merge_predictions()] to bring predictions into other data.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' posts <- data.frame(post = c("a", "b"), photo = c(photo, NA))
#' classify_images(posts, image_col = "photo", progress = FALSE)
classify_images <- function(
  images,
  model = "efficientnet_lite0",
  image_col = NULL,
  image_dir = NULL,
  device = "auto",
  batch_size = "auto",
  probs = NULL,
  progress = TRUE,
  on_error = "record",
  max_pixels = 1e8,
  max_bytes = 2e8,
  models = NULL,
  out = NULL,
  retry_failed = FALSE,
  overwrite = FALSE,
  cache = TRUE,
  precision = "fp32"
) {
  run_verb("classify_images", as.list(environment()))
}

#' Embed photographs
#'
#' Describes each photograph by the numbers that a model computes just before it decides on a class. Photographs that
#' look alike get similar numbers, for clustering, for finding duplicates, or as predictors.
#'
#' @inheritParams classify_images
#' @returns A tibble, or a data frame where tibble is not installed, with the columns `image`, `embedding_1` to
#'   `embedding_<n>` (as many as the model has) and `error`; or the data frame given, with these columns added. See
#'   [classify_images()].
#' @inheritSection classify_images Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' dim(embed_images(photo, progress = FALSE))
embed_images <- function(
  images,
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
  run_verb("embed_images", as.list(environment()))
}
