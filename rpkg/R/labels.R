# Hand labels: which photographs to code, how far coders agree, and which photographs are copies.

#' How far coders agree
#'
#' Measures how far coders agree on photographs, with intervals by resampling photographs. The photographs need not be
#' there, and coders need not have coded all of them.
#'
#' @param labels The coders' answers: a data frame, or the path of a .csv, .parquet, .feather or .dta file.
#' @param image_col Name of the column that says which photograph, by path or by any other name.
#' @param label_col Name of the column with the answers, or of several (attributes, scores), each of which is measured
#'   by itself.
#' @param coders Name of the column that names the coder, where each row is one coder's answer; or the names of two
#'   columns or more, each of which holds one coder's answers.
#' @param scale What kind of answers: `"nominal"` (classes), `"ordinal"` (classes in an order: numbers, or an ordered
#'   factor) or `"interval"` (a measure). `"auto"` takes numbers with more than 10 distinct values, or with decimals, as
#'   a measure, and anything else as classes.
#' @param conf_level Level of the intervals, between 0 and 1.
#' @param replicates How many times photographs are resampled for the intervals (percentiles).
#' @param seed Seed of the resampling. R's own seed plays no part.
#' @returns [Findings][imagesasdata_findings] with the tables
#'
#' * `metrics`: `name` (the column), `metric`, `estimate`, `conf_low`, `conf_high`, `n` (photographs that it rests on).
#'   For classes `percent_agreement` (a share, from 0 to 1) and `cohen_kappa`, both the mean over pairs of coders,
#'   `fleiss_kappa` and `krippendorff_alpha`; for ordered classes `weighted_kappa` (quadratic weights) in place of the
#'   two kappas; for a measure `krippendorff_alpha`, and of the photographs that all coded `icc_1`, `icc_a1` and
#'   `icc_c1`. Missing where it is not defined, as kappa is where there is one class only.
#' * `pairs`: `name`, `coder_a`, `coder_b`, `n`, `percent`, `kappa`, `correlation`.
#' * `coders`: `name`, `coder`, `n` (answers), and `label` with its `share`, or `mean`.
#' * `disagreements`: `name`, `image`, `answers` (text), `disagreement` (share of pairs of coders that differ, or the
#'   standard deviation of the answers), the largest first.
#'
#' @section Errors: `imagesasdata_labels_invalid`: fewer than two coders, no photograph that two of them coded, or
#'   answers that contradict each other. `imagesasdata_image_column_missing`, `imagesasdata_argument_invalid`,
#'   `imagesasdata_table_unreadable`.
#' @references
#' Cohen, J. (1960). A coefficient of agreement for nominal scales; over several pairs Light, R. J. (1971). Measures of
#' response agreement for qualitative data; weighted Cohen, J. (1968). Weighted kappa.
#'
#' Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters; with missing answers Gwet, K. L. (2014).
#' Handbook of Inter-Rater Reliability, chapter 2.
#'
#' Krippendorff, K. (2011). Computing Krippendorff's Alpha-Reliability.
#'
#' Shrout, P. E. and Fleiss, J. L. (1979). Intraclass correlations, in the names of McGraw, K. O. and Wong, S. P.
#' (1996): `icc_1` is their ICC(1,1), `icc_a1` ICC(2,1), `icc_c1` ICC(3,1).
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' coded <- data.frame(
#'   image = rep(c("a.jpg", "b.jpg", "c.jpg", "d.jpg"), each = 2), coder = c("Ann", "Ben"),
#'   label = c("protest", "protest", "other", "protest", "other", "other", "protest", "protest")
#' )
#' found <- suppressWarnings(coder_agreement(coded, replicates = 100))
#' found$metrics
#' found$disagreements
coder_agreement <- function(
  labels,
  image_col = "image",
  label_col = "label",
  coders = "coder",
  scale = "auto",
  conf_level = 0.95,
  replicates = 1000,
  seed = 1
) {
  run_on_labels("coder_agreement", as.list(environment()))
}

#' Draw photographs to be coded by hand
#'
#' Draws a sample of photographs and says with which probability each was drawn, so that estimates from the sample can
#' be weighted to hold for the whole pool.
#'
#' @inheritParams classify_images
#' @param pool The photographs to draw from, as `images` in [classify_images()].
#' @param n How many to draw; with `strategy = "stratified"` also numbers named after the strata, such as
#'   `c(north = 50, south = 100)`. Several columns of strata are joined to one name by `" / "`, and a missing value is
#'   `"(missing)"`.
#' @param strategy `"random"`: simple random sampling without replacement. `"stratified"`: the same in each stratum, `n`
#'   spread evenly over them as far as they reach. `"uncertain"`: half of the sample's probability is spread evenly, and
#'   half in proportion to how uncertain the model is.
#' @param strata Names of columns of `pool`, such as a city, a year, or the `label` of [classify_images()].
#' @param model With `strategy = "uncertain"`: whose uncertainty. It is not run where `pool` has its predictions
#'   already: `prob_<class>` columns, or else `label` and `prob`.
#' @param labelled Photographs that were coded before: a data frame, paths, a folder or a table file. They are not drawn
#'   again, and every probability is then one among the rest.
#' @param image_col Name of the column of paths, where `pool` is a data frame; in `labelled` the same, or `"image"`.
#' @param seed The same seed draws the same photographs. R's own seed plays no part.
#' @returns The rows drawn, in the order of `pool`, with its columns (`image` where it is no data frame),
#'   `inclusion_prob` (above 0, up to 1: with which probability this photograph was to be drawn, exactly) and, with
#'   `strategy = "uncertain"`, `uncertainty` (from 0 to 1). Whoever estimates something of the whole pool from the
#'   sample weights by `1 / inclusion_prob`.
#' @details Uncertainty is 1 less the difference between the two highest probabilities; with attributes the mean of
#'   `1 - |2 p - 1|`; with nothing but `prob`, 1 less that. The draw is systematic over a random order of the pool:
#'   probabilities hold exactly, and none is above 1.
#' @section Errors: `imagesasdata_argument_invalid`: for instance, `n` is more than there are.
#'   `imagesasdata_images_not_found`, `imagesasdata_image_column_missing`, `imagesasdata_column_exists`,
#'   `imagesasdata_model_not_found`, `imagesasdata_model_invalid`, `imagesasdata_device_unavailable`.
#' @references Zrnic, T. and Candès, E. J. (2024). Active Statistical Inference. Madow, W. G. (1949). On the Theory of
#'   Systematic Sampling, II.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' pool <- data.frame(photo = sprintf("%d.jpg", 1:100), city = rep(c("A", "B"), c(90, 10)))
#' drawn <- sample_images(pool, 30, "stratified", strata = "city", image_col = "photo")
#' table(drawn$city)
#' head(drawn)
sample_images <- function(
  pool,
  n,
  strategy = "random",
  strata = NULL,
  model = "efficientnet_lite0",
  labelled = NULL,
  image_col = NULL,
  image_dir = NULL,
  seed = 1,
  device = "auto",
  progress = TRUE,
  cache = TRUE
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  iad <- python_module(call)
  if (length(names(n)) > 0) {
    arguments$n <- lapply(as.list(n), whole_number)
  }
  arguments$strata <- unname(strata)
  arguments <- send_labelled(arguments, call)
  if (!is.data.frame(pool)) {
    names(arguments)[names(arguments) == "pool"] <- "images"
    arguments <- send_images(arguments, call)
    names(arguments)[names(arguments) == "images"] <- "pool"
    return(call_python(iad$sample_images$for_r, arguments, call))
  }
  sent <- paths_of(pool, image_col, call)
  used <- names(pool) %in% c(strata, "prob") | startsWith(names(pool), "prob_")
  sent[used] <- columns_for_python(pool, names(pool)[used])[used]
  # The rows that are drawn come from the caller's own data frame: Python hands their numbers back, in a column that
  # says nothing to it.
  numbers <- c(which(!used & !names(pool) %in% image_col), length(pool) + 1)[1]
  sent[[numbers]] <- seq_len(nrow(pool))
  arguments$pool <- send_table(sent, "pool", call)
  table <- call_python(iad$sample_images$for_r, arguments, call)
  provenance <- utils::modifyList(as.list(attr(pool, "imagesasdata")), as.list(attr(table, "imagesasdata")))
  drawn <- pool[table[[numbers]], , drop = FALSE]
  if (identical(class(pool), "data.frame")) {
    rownames(drawn) <- NULL
  }
  add_columns(drawn, table[-seq_along(sent)], list(imagesasdata = provenance))
}

#' Find near-duplicates
#'
#' Finds photographs that are copies of each other, also where they were resized, recompressed, cropped or marked. In an
#' evaluation, a copy of a photograph to test on among those to learn from makes any model look better than it is;
#' [cross_validate()] and [fine_tune()] keep copies together by this.
#'
#' @inheritParams classify_images
#' @param correlation A pair's thumbnails, laid over each other, correlate at least so much, from 0 to 1.
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each pair: `image_a` and `image_b`
#'   (in the order of the images), `correlation` (of the thumbnails, at most 1), `hash_distance` (how many of 64 bits
#'   differ) and `similarity` (cosine of the embeddings, at most 1). Photographs that cannot be read have no pairs.
#' @details Pairs are proposed by a 64-bit difference hash or by the embeddings of EfficientNet-Lite0, which finds
#'   mirrored copies too. A proposed pair's grey thumbnails of 32 x 32 pixels are then laid over each other, plain and
#'   mirrored, whole and with up to 7.5 percent cropped, without their coarse layout, in which all portraits are alike;
#'   the largest correlation counts. All pairs are compared, so time grows with the square of the number of photographs:
#'   60,000 take minutes.
#' @section Errors: `imagesasdata_image_column_missing`, `imagesasdata_images_not_found`,
#'   `imagesasdata_argument_invalid`, `imagesasdata_device_unavailable`.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' find_duplicates(c(photo, photo), progress = FALSE)
find_duplicates <- function(
  images,
  image_col = NULL,
  image_dir = NULL,
  correlation = 0.8,
  device = "auto",
  progress = TRUE,
  cache = TRUE
) {
  run_verb("find_duplicates", as.list(environment()), long = TRUE)
}
