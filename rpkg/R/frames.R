# Photographs out of videos.

#' Sample frames of videos
#'
#' Writes a frame of a video every so many seconds, as photographs for all other verbs. It needs the Python package
#' PyAV: `pip install 'imagesasdata[video]'`.
#'
#' @inheritParams classify_images
#' @param videos Videos, as `images` in [classify_images()]; a folder is searched for videos.
#' @param out A folder to write to: each video has a folder of its own in it, which must not be there yet.
#' @param every Seconds, above 0.
#' @param image_col Name of the column with the paths of the videos, where `videos` is a data frame or a file with one.
#' @param quality Of the JPEG compression, from 1 to 100.
#' @param max_frames Frames that are written of one video.
#' @param max_pixels The largest frame, in pixels.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each frame: `image` (path of the
#'   photograph), `video`, `frame` (1, 2, ... in each video), `time` (seconds from its beginning) and `video_error`. The
#'   frames are the first at 0, `every`, 2 `every`, ... seconds or after, upright and with square pixels. A video that
#'   cannot be read, or is damaged further on, has a last row with the reason in `video_error` and no `image`.
#'   `classify_images(frames, image_col = "image")` takes the table as it is, and the time comes along.
#' @details One frame is in memory at a time. Where the next frame is far off, the video is searched from the key frame
#'   before it, which gives the same frames. Frames of one video are alike: they are no independent evidence, so name
#'   the video in `cluster` or `groups`.
#' @section Errors: `imagesasdata_dependency_missing`: PyAV is not installed. `imagesasdata_argument_invalid`,
#'   `imagesasdata_images_not_found`, `imagesasdata_image_column_missing`.
#' @export
#' @examples
#' \dontrun{
#' frames <- sample_frames("speech.mp4", "frames", every = 5)
#' classify_images(frames, image_col = "image")[c("video", "time", "label")]
#' }
#' @examplesIf imagesasdata:::python_ready() && reticulate::py_module_available("av")
#' film <- tempfile(fileext = ".mp4")
#' writeLines("not a video", film)
#' sample_frames(film, tempfile("frames"), progress = FALSE)$video_error
sample_frames <- function(
  videos,
  out,
  every = 1,
  image_col = NULL,
  image_dir = NULL,
  quality = 95,
  max_frames = 10000,
  progress = TRUE,
  max_pixels = 1e8
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  iad <- python_module(call)
  names(arguments)[names(arguments) == "videos"] <- "images"
  arguments <- send_images(arguments, call, whole = FALSE)
  names(arguments)[names(arguments) == "images"] <- "videos"
  call_python(iad$sample_frames$for_r, arguments, call)
}
