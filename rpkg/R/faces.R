# Faces: where they are, whose they are, what they show, and how to hide them.

#' Find faces
#'
#' Finds the faces in photographs, with the places of eyes, nose and mouth. It says nothing of whose they are.
#'
#' @inheritParams classify_images
#' @param min_size Side of the smallest face that is looked for, in pixels of the photograph, 10 or more. With twice the
#'   size the search takes a quarter of the time.
#' @param threshold Least probability of a face, from 0 to 1. A lower one finds more faces, and more of what is none.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each face: `image`; `face` (1 is
#'   the most probable of the photograph); `x`, `y` (its upper left corner), `width` and `height` in pixels of the
#'   upright photograph, cut at its border; `prob` (from 0 to 1); `left_eye_x`, `left_eye_y`, `right_eye_x`,
#'   `right_eye_y`, `nose_x`, `nose_y`, `mouth_left_x`, `mouth_left_y`, `mouth_right_x`, `mouth_right_y` in the same
#'   pixels, left and right as the viewer sees them; `error`. A photograph that failed, or shows no face, has one row
#'   with all else missing, so that no join loses a photograph. Of a data frame that [sample_frames()] made, `video` and
#'   `time` come along after `image`.
#' @details MTCNN (Zhang, Zhang, Li and Qiao 2016): a small network looks everywhere in the photograph at many scales,
#'   and two larger ones at what it found. It finds faces that are roughly upright, from the front to half from the
#'   side.
#' @inheritSection classify_images Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' detect_faces(photo, progress = FALSE)$face
detect_faces <- function(
  images,
  min_size = 20,
  threshold = 0.8,
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
  overwrite = FALSE
) {
  run_verb("detect_faces", as.list(environment()), long = TRUE)
}

#' Recognise people
#'
#' Says which of some known people each face in photographs is, or that it is none of them. `enroll_people()` describes
#' the people once, so that their photographs are needed no more.
#'
#' @inheritParams detect_faces
#' @param people For `recognize_faces()`: reference photographs, as a folder with a folder for each person or a data
#'   frame with the columns `image` and `person_col`; or what `enroll_people()` returned or wrote. For
#'   `enroll_people()`: a folder with a folder for each person, or a data frame or table file with a row for each
#'   photograph.
#' @param threshold Largest distance at which a face is still the nearest person's. `"auto"` chooses it from the
#'   references.
#' @param false_match_rate With `"auto"`: the share of strangers' faces that may be taken for one of the people, as far
#'   as the references tell.
#' @param method Who a face is taken for, within the threshold. `"nearest"`: the nearest person. `"classifier"`: the
#'   likeliest by a logistic regression on the descriptors of the references, of which each person then needs 5 or
#'   more.
#' @param purpose What people are recognised for, in a sentence. It is asked once a session, and kept with the results.
#' @param min_prob Least probability of a face, as `threshold` in [detect_faces()].
#' @param person_col Name of the column of `people` with the person's name.
#' @param image_dir Folder in which relative paths start, of `images` and of a table of `people`. `NULL`: the working
#'   directory.
#' @param out For `recognize_faces()`: as in [detect_faces()]; a run is resumed with the same references and the same
#'   purpose only. For `enroll_people()`: a table file to keep the result in; .parquet keeps everything. It holds no
#'   photograph, but descriptors of faces are biometric data: keep them as safe as the photographs, and delete them when
#'   they are not needed.
#' @returns A tibble, or a data frame where tibble is not installed.
#'
#' * `recognize_faces()`: one row for each face, with `image`, `face`, `x`, `y`, `width`, `height`, `prob` as in
#'   [detect_faces()]; `person` (a factor; "unknown" beyond the threshold); `distance` to the `nearest` person;
#'   `second`, the second-nearest person, and `margin`, how much farther that one is; `error`. The attribute
#'   `imagesasdata` has the purpose, and the threshold with its interval.
#' * `enroll_people()`: one row for each reference, with `person`, `image`, `x`, `y`, `width`, `height`, `prob` (of its
#'   largest face), `faces` (how many it shows: with several, the largest may be somebody else's, and a warning says
#'   so), `descriptor_1` to `descriptor_128`, and `error`.
#'
#' @details A face is aligned by its landmarks and described by dlib's network (King 2017); its distance to a person is
#'   the mean distance to that person's references. For the threshold each reference plays a stranger to the other
#'   people; what they say is the lower limit of a prediction interval (Student's t) for one more stranger's distance,
#'   at the false-match rate. Of few people that is far from certain, so the threshold is a mean of it and of the usual
#'   0.5, which counts for as much as 20 people; with fewer than 5 people it is 0.5. For 4 to 11 politicians with 1 to 5
#'   references each, fewer than 0.2 % of other politicians' faces were accepted on the mean over draws of references,
#'   and of the people's own faces 84 to 96 % were recognised, more with more references. Evaluate on photographs that
#'   you coded by hand: the rate holds for strangers who are as unlike the people as these are unlike each other.
#' @section Errors: As in [classify_images()], and `imagesasdata_purpose_missing` (no `purpose` in this session yet) and
#'   `imagesasdata_people_invalid` (the references cannot be used).
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' # There is no face on it, so nobody can be enrolled.
#' people <- data.frame(image = photo, person = "Nobody")
#' try(enroll_people(people, purpose = "An example.", progress = FALSE))
#' try(recognize_faces(photo, people, progress = FALSE))
recognize_faces <- function(
  images,
  people,
  threshold = "auto",
  false_match_rate = 0.01,
  method = "nearest",
  purpose = NULL,
  min_size = 20,
  min_prob = 0.8,
  person_col = "person",
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
  overwrite = FALSE
) {
  arguments <- as.list(environment())
  python_module()
  arguments$people <- people_for_python(people)
  run_verb("recognize_faces", arguments, long = TRUE)
}

#' @rdname recognize_faces
#' @export
enroll_people <- function(
  people,
  out = NULL,
  purpose = NULL,
  image_col = NULL,
  person_col = "person",
  image_dir = NULL,
  min_size = 20,
  min_prob = 0.8,
  device = "auto",
  progress = TRUE,
  max_pixels = 1e8,
  max_bytes = 2e8,
  overwrite = FALSE
) {
  arguments <- as.list(environment())
  iad <- python_module()
  arguments$people <- people_for_python(people)
  call_python(iad$enroll_people$for_r, arguments, environment())
}

#' Compare pairs of faces
#'
#' Says of pairs of photographs whether the largest faces on both are the same person's.
#'
#' @inheritParams recognize_faces
#' @param a,b The first and the second photographs of the pairs: vectors of paths, as many of each.
#' @param threshold Largest distance of two faces of the same person.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each pair: `image_a`, `image_b`,
#'   `distance` (0 for the same photograph; about 0.4 for the same person, 0.8 for two), `same` (`TRUE` up to the
#'   threshold), and `error`.
#' @inheritSection recognize_faces Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' verify_faces(photo, photo, purpose = "An example.", progress = FALSE)$error
verify_faces <- function(
  a,
  b,
  threshold = 0.55,
  purpose = NULL,
  image_dir = NULL,
  min_size = 20,
  min_prob = 0.8,
  device = "auto",
  progress = TRUE,
  max_pixels = 1e8,
  max_bytes = 2e8
) {
  arguments <- as.list(environment())
  iad <- python_module()
  paths <- function(x) lapply(as.character(x), function(path) if (is.na(path)) NULL else path)
  arguments[c("a", "b")] <- list(paths(a), paths(b))
  call_python(iad$verify_faces$for_r, arguments, environment())
}

#' Group faces
#'
#' Groups the faces in photographs, to see who appears how often: each group is one person, if all goes well.
#'
#' @inheritParams recognize_faces
#' @param threshold Two groups are joined while the mean distance of their faces is at most this. A smaller one splits
#'   people, a larger one joins them.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each face: `image`, `face`, `x`,
#'   `y`, `width`, `height`, `prob` as in [detect_faces()]; `cluster` (1 is the largest), `cluster_size` (faces in it),
#'   and `error`.
#' @details Agglomerative clustering with average linkage of dlib's descriptors, of at most 20,000 faces.
#' @inheritSection recognize_faces Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' cluster_faces(photo, purpose = "An example.", progress = FALSE)$cluster
cluster_faces <- function(
  images,
  threshold = 0.55,
  purpose = NULL,
  min_size = 20,
  min_prob = 0.8,
  image_col = NULL,
  image_dir = NULL,
  device = "auto",
  progress = TRUE,
  max_pixels = 1e8,
  max_bytes = 2e8
) {
  run_verb("cluster_faces", as.list(environment()), long = TRUE)
}

#' Score expressions
#'
#' Scores the expressions of faces: what faces show, which is not what people feel, nor what viewers feel.
#'
#' @inheritParams detect_faces
#' @inheritParams recognize_faces
#' @param by `"face"`: one row for each face. `"image"`: one row for each photograph, with the mean over its faces.
#' @returns A tibble, or a data frame where tibble is not installed. By face: `image`, `face`, `x`, `y`, `width`,
#'   `height`, `prob` as in [detect_faces()]; `expression`, the most probable one (a factor); `prob_anger`,
#'   `prob_disgust`, `prob_fear`, `prob_happiness`, `prob_sadness`, `prob_surprise`, `prob_neutral`, which sum to 1;
#'   `error`. A photograph without a face has one row with these missing. By image: `image`, `faces` (their number), the
#'   means of the seven probabilities (missing without faces), `error`; where `images` is a data frame, that data frame
#'   with these columns added.
#' @details A small network of Arriaga, Valdenegro-Toro and Plöger (2017), trained on FER-2013. It is weak, above all
#'   for fear and disgust, and its errors differ between groups of people: code a sample by hand, and see
#'   [evaluate_predictions()] and `model_card("expression")`. For the emotion that a photograph evokes, train a model on
#'   viewers' ratings ([fine_tune()]).
#' @inheritSection classify_images Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' score_expressions(photo, by = "image", progress = FALSE)$faces
score_expressions <- function(
  images,
  by = "face",
  min_size = 20,
  min_prob = 0.8,
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
  overwrite = FALSE
) {
  run_verb("score_expressions", as.list(environment()), long = !identical(by, "image"))
}

#' Hide faces
#'
#' Writes copies of photographs in which faces are hidden, upright and without EXIF, GPS or any other metadata. The
#' photographs themselves are not changed. Every photograph that can be read gets a copy, with faces or without.
#'
#' @inheritParams recognize_faces
#' @param out The folder of the copies. They lie below it as the photographs lie below `images`, or below the folder
#'   that they share.
#' @param people Whose faces are hidden. `NULL`: everybody's. `"unknown"`: those of all who are not among `known`.
#'   Names: those of some of `known`.
#' @param known References, as `people` in [recognize_faces()].
#' @param method Of each face 4 x 4 mean colours are left, spread smoothly (`"blur"`) or as squares (`"pixelate"`); or
#'   nothing, under a black box (`"box"`).
#' @param margin How much larger than the face, on each side, the hidden box is, in sides of the face.
#' @param min_size,threshold As in [detect_faces()]; lower than there, since a face that is missed is worse than a sign
#'   that is hidden.
#' @param quality Quality of JPEG copies, 1 to 100. What is no JPEG becomes a PNG, with `"lossless"` everything.
#' @param match_threshold With `known`: as `threshold` in [recognize_faces()]. `"auto"` leans to hiding. With
#'   `people = "unknown"` a face counts as known only up to the lower limit of that threshold's interval, and up to 0.5
#'   at most. A face that is nobody's for sure is hidden as a named person's up to the threshold, or 0.6 where that is
#'   more.
#' @param purpose With `known`: what people are recognised for, in a sentence. It is asked once a session.
#' @param overwrite Whether to write over copies that are there already. The photographs themselves are never written
#'   over.
#' @returns A log: a tibble, or a data frame where tibble is not installed, with one row for each hidden face: `image`,
#'   `face`, `x`, `y`, `width`, `height` (of the hidden box, in whole pixels of the copy), `prob`, `method`, `person`
#'   (with `known`), `copy` (the path written) and `error`. A photograph in which nothing was hidden has one row, with
#'   `copy` where it was written.
#' @details The search runs twice, the second time on the mirrored photograph at other scales, and again on the result:
#'   what still looks like a face there is left fewer colours, at last none, and a face that comes to light there is
#'   hidden too. Faces that are missed stay as they are: look at the copies before you share them, and remember that
#'   clothes, places and captions identify people too. With `known`, a face is hidden where one of the two searches
#'   says so.
#'
#'   Colours that a profile describes become sRGB, since the copy has no profile. Of GIF, APNG and TIFF files only the
#'   first picture is copied.
#' @inheritSection recognize_faces Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' log <- blur_faces(photo, out = tempfile(), progress = FALSE)
#' file.exists(log$copy)
blur_faces <- function(
  images,
  out,
  people = NULL,
  known = NULL,
  method = "blur",
  margin = 0.3,
  min_size = 15,
  threshold = 0.4,
  quality = 95,
  match_threshold = "auto",
  purpose = NULL,
  image_col = NULL,
  image_dir = NULL,
  device = "auto",
  progress = TRUE,
  on_error = "record",
  max_pixels = 1e8,
  max_bytes = 2e8,
  overwrite = FALSE
) {
  arguments <- as.list(environment())
  python_module()
  arguments["known"] <- list(people_for_python(known))
  run_verb("blur_faces", arguments, long = TRUE)
}

people_for_python <- function(people) {
  if (is.data.frame(people)) table_to_python(people) else people
}
