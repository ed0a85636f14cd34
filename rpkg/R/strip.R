# Photographs without what their files say beside the pixels.

#' Remove metadata from photographs
#'
#' Writes copies of photographs without metadata: place, time, camera, owner, texts, thumbnails. The originals are never
#' changed.
#'
#' @inheritParams classify_images
#' @param out A folder to write to. Photographs of a folder keep their place under it, others their place under the
#'   innermost folder in which all of them lie.
#' @param quality Of the JPEG compression, from 1 to 100, where a photograph has to be compressed anew. `"lossless"`
#'   makes a PNG of it instead, with `.png` after its name.
#' @param profile What becomes of an ICC profile, which says which colours the pixels mean: `"keep"`, or `"convert"`,
#'   which makes the pixels sRGB and leaves the profile out.
#' @param overwrite Whether files that are in `out` may be replaced.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each photograph: `image`;
#'   `written` (path of the copy); `removed` (kinds, such as `"EXIF, GPS, thumbnail"`; empty where there was nothing:
#'   `EXIF`, `GPS`, `XMP`, `IPTC`, `comment`, `thumbnail`, `ICC`, `pictures behind` (of films, bursts and whatever
#'   follows the photograph in its file), `other`); `recompressed` (whether pixels were compressed anew with a loss);
#'   `error`. A file that cannot be read is not copied. Given a data frame, that data frame with these columns added.
#' @details JPEG, PNG, WebP and GIF are cut: the compressed pixels stay byte for byte, so that a model says the same of
#'   the copy. A photograph whose EXIF says that it lies on its side or its head is set upright, since nothing is left
#'   in it that could say so: a JPEG is compressed anew, the others are written without loss. So are TIFF, BMP, PPM and
#'   JPEG 2000; HEIC and AVIF become JPEG (`.jpg` after the name). What is not cut has 8 bits a channel.
#'
#'   By default profiles are kept: without one, colours change wherever it is not sRGB, and converting changes all
#'   pixels. Profiles of telephones and editors are alike in millions of photographs; one made for one scanner or screen
#'   can name it, and `"convert"` takes it away. What photographs show, their names, and marks hidden in the pixels
#'   stay.
#' @section Errors: `imagesasdata_argument_invalid`: a copy would be written over its original or, without `overwrite`,
#'   over a file that is there. `imagesasdata_images_not_found`, `imagesasdata_image_column_missing`,
#'   `imagesasdata_column_exists`.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' strip_metadata(photo, tempfile("clean"), progress = FALSE)
strip_metadata <- function(
  images,
  out,
  image_col = NULL,
  image_dir = NULL,
  quality = 95,
  profile = "keep",
  overwrite = FALSE,
  progress = TRUE,
  max_pixels = 1e8,
  max_bytes = 2e8
) {
  run_verb("strip_metadata", as.list(environment()), whole = FALSE)
}
