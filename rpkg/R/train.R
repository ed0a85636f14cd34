# From hand labels to a model, and how good it is.

#' Fine-tune a model
#'
#' Fine-tunes a network on hand labels, measures it by cross-validation, and writes it as one model file.
#'
#' @inheritParams classify_images
#' @param labels A data frame with a column of paths and one or more of labels; the path of a .csv, .parquet, .feather
#'   or .dta file with such columns; or a folder with a folder of photographs for each class. Factors count as text with
#'   their labels.
#' @param image_col Name of the column of paths.
#' @param label_col Name of the column of labels; several names for several attributes (0 and 1, or logical) or several
#'   scores.
#' @param coders Where several people coded: the name of the column that names the coder (a row an answer), or the names
#'   of the coders' columns (a row a photograph). Classes and attributes are learnt as the share of coders who said so,
#'   scores as their mean; figures are about the majority and the mean, beside what the coders' agreement allows.
#' @param task `"single"` (exclusive classes), `"multi"` (several attributes at once) or `"score"` (numbers). `"auto"`
#'   reads it from the labels.
#' @param backbone The network to start from: any model that names an embedding, as `model` in [classify_images()].
#'   `"timm/<name>"` takes a network of timm.
#' @param method `"head"` fits a new last layer on the network's embeddings (logistic or ridge regression; seconds).
#'   `"tail"` trains the last part of the network, and `"full"` all of it; both need PyTorch. `"auto"` takes `"tail"`
#'   where PyTorch is installed and cross-validation says that it is better, else `"head"`; the figure by which it chose
#'   is then reported, and a little too good.
#' @param out The model file to write, such as `"protest.onnx"`. What cross-validation found is written beside it, as
#'   `protest.validation.zip`.
#' @param name Name of the model. `NULL`: that of the file. Without `out`, the model is put among your models under this
#'   name.
#' @param groups Name of a column: photographs with the same value (of one event, one account) are never apart in
#'   cross-validation.
#' @param class_weights Weights of the classes in training, such as `c(protest = 2, other = 1)`. `"balanced"` makes rare
#'   classes count as much as frequent ones, at the price of probabilities that are too high for rare classes.
#' @param folds Folds of the cross-validation: a whole number, 2 or more.
#' @param epochs For `"tail"` and `"full"`: how often to go through the photographs. `NULL`: what suits the method.
#' @param conf_level Level of the intervals, between 0 and 1.
#' @param seed The same seed, labels and versions give the same file, bit for bit, on the same machine. R's own seed
#'   plays no part.
#' @param overwrite Whether to replace a file that is there.
#' @returns A model as [load_model()] returns it, which also has `validation`: what cross-validation found, as
#'   [cross_validate()] returns it, out-of-fold predictions included. `tidy()` and `glance()` give its figures. The card
#'   in the file holds them too, with the options, the seed, the versions, and a fingerprint of the labelled
#'   photographs. An interrupt (Ctrl-C) returns the best model so far, if there is one, with a warning.
#' @section Errors: `imagesasdata_labels_invalid`: the labels cannot be used; the message says which and why.
#'   `imagesasdata_dependency_missing`: PyTorch is needed and not installed. `imagesasdata_image_column_missing`,
#'   `imagesasdata_images_not_found`, `imagesasdata_model_not_found`, `imagesasdata_model_invalid`,
#'   `imagesasdata_argument_invalid`.
#' @seealso [classify_images()], [predict()][predict.imagesasdata_model] and `augment()` use the model;
#'   [write_report()] describes it.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' folder <- tempfile()
#' dir.create(folder)
#' labels <- data.frame(image = sprintf("%d.png", 1:12), label = rep(c("map", "curve"), 6))
#' for (i in 1:12) {
#'   png(file.path(folder, labels$image[i]), 200, 150)
#'   par(mar = rep(0, 4), bg = hcl.colors(12)[i])
#'   if (labels$label[i] == "map") {
#'     image(matrix(runif(100), 10), col = hcl.colors(9, hcl.pals()[i]))
#'   } else {
#'     plot(rnorm(20), type = "l", lwd = 9, col = i)
#'   }
#'   dev.off()
#' }
#' out <- file.path(folder, "drawn.onnx")
#' model <- suppressWarnings(fine_tune(
#'   labels,
#'   image_dir = folder, out = out, method = "head", folds = 2, progress = FALSE
#' ))
#' model
#' model$validation$metrics
#' classify_images(labels["image"], model, image_col = "image", image_dir = folder, progress = FALSE)
fine_tune <- function(
  labels,
  image_col = "image",
  label_col = "label",
  image_dir = NULL,
  coders = NULL,
  task = "auto",
  backbone = "efficientnet_lite0",
  method = "auto",
  out = NULL,
  name = NULL,
  groups = NULL,
  class_weights = NULL,
  folds = 5,
  epochs = NULL,
  conf_level = 0.95,
  seed = 1,
  device = "auto",
  cache = TRUE,
  progress = TRUE,
  overwrite = FALSE
) {
  model <- run_on_labels("fine_tune", as.list(environment()), as_tuned_model)
  model$notes <- NULL
  model
}

as_tuned_model <- function(tuned) {
  model <- as_model(tuned)
  validation <- tuned$validation
  if (!is.null(from_none(validation))) {
    model$validation <- as_findings(validation)
  }
  model$notes <- as.character(unlist(from_python(tuned$notes)))
  model
}

from_none <- function(value) {
  if (inherits(value, "python.builtin.NoneType") || is.null(value)) NULL else value
}

#' Cross-validate
#'
#' Measures how well a model fine-tuned on these labels does on photographs that it has not seen. The labelled
#' photographs are cut into folds, and each fold is predicted by a model that was fitted on the others. Near-duplicates
#' (see [find_duplicates()]) and photographs of one group are never apart, strengths of regularisation are chosen within
#' the training folds, and the probabilities of a fold are calibrated by the other folds: nothing of a photograph is
#' known to the model that predicts it.
#'
#' @inheritParams fine_tune
#' @param method What is trained: `"head"`, the last layer; `"tail"`, the last part of the network; `"full"`, all of it.
#'   The last two need PyTorch.
#' @param folds How many: a whole number, 2 or more.
#' @param repeats Cut into folds so often, each time anew. Every photograph then has as many predictions.
#' @param seed The same seed gives the same folds and the same numbers. R's own seed plays no part.
#' @returns [Findings][imagesasdata_findings] with the tables `metrics`, `confusion`, `roc`, `pr` and `calibration` as
#'   in [evaluate_predictions()]; `predictions`: out of fold, one row a photograph and repeat, with `truth`, `fold`,
#'   `repeat` and `group` (photographs with one number were never apart), by which [evaluate_predictions()] knows how
#'   wide intervals are; `folds`: `repeat`, `fold`, `n_train`, `n_test`, `estimate`; `duplicates`. The facts hold the
#'   primary metric (`estimate`, `conf_low`, `conf_high`), `baseline` (accuracy of naming the most frequent class every
#'   time), `ceiling` (how far two coders agree), `ceiling_r2` (what the coders' agreement allows), `temperature` and
#'   `n_duplicate_pairs`; with coders there is the table `ceilings`, as in [evaluate_predictions()].
#' @section Errors: `imagesasdata_labels_invalid`, `imagesasdata_model_invalid`, `imagesasdata_dependency_missing`,
#'   `imagesasdata_image_column_missing`, `imagesasdata_images_not_found`, `imagesasdata_argument_invalid`.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' folder <- tempfile()
#' dir.create(folder)
#' labels <- data.frame(image = sprintf("%d.png", 1:12), label = rep(c("map", "curve"), 6))
#' for (i in 1:12) {
#'   png(file.path(folder, labels$image[i]), 200, 150)
#'   par(mar = rep(0, 4), bg = hcl.colors(12)[i])
#'   if (labels$label[i] == "map") {
#'     image(matrix(runif(100), 10), col = hcl.colors(9, hcl.pals()[i]))
#'   } else {
#'     plot(rnorm(20), type = "l", lwd = 9, col = i)
#'   }
#'   dev.off()
#' }
#' found <- suppressWarnings(cross_validate(labels, image_dir = folder, folds = 2, progress = FALSE))
#' found
#' found$confusion
cross_validate <- function(
  labels,
  image_col = "image",
  label_col = "label",
  image_dir = NULL,
  coders = NULL,
  task = "auto",
  backbone = "efficientnet_lite0",
  method = "head",
  groups = NULL,
  class_weights = NULL,
  folds = 5,
  repeats = 1,
  epochs = NULL,
  conf_level = 0.95,
  seed = 1,
  device = "auto",
  cache = TRUE,
  progress = TRUE
) {
  run_on_labels("cross_validate", as.list(environment()))
}

#' Learning curve
#'
#' Measures how quality grows with the number of labels, to decide whether coding more is worth while. For each of
#' several sizes, models are fitted on random subsets of that size of the training folds and tested on the fold left
#' out. A curve `a - b * n^-c` through the estimates says what 100 more labels would bring.
#'
#' @inheritParams cross_validate
#' @param sizes One or more numbers of labels. `NULL`: six, from a few a class to all that the training folds have.
#' @param repeats Subsets for each size and fold; 1 or more.
#' @returns [Findings][imagesasdata_findings] with the table `curve`: `n` (labels trained on: the mean over folds,
#'   which is less than was asked for where a large group leaves a fold with fewer), `metric` (`"accuracy"`; for scores
#'   `"r2"`), `estimate`, `conf_low`, `conf_high` (as in [cross_validate()]: of folds that share photographs, and of
#'   groups). Facts: `n` (labels there are), `gain_100` with `gain_100_low` and `gain_100_high` (how much the curve
#'   promises for 100 more labels than there are, and between what this lies for curves through bootstrap replicates;
#'   missing where no curve fits) and `curve_a`, `curve_b`, `curve_c`. The promise reaches beyond what was measured:
#'   take it as a hint.
#' @inheritSection cross_validate Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' folder <- tempfile()
#' dir.create(folder)
#' labels <- data.frame(image = sprintf("%d.png", 1:24), label = rep(c("map", "curve"), 12))
#' for (i in 1:24) {
#'   png(file.path(folder, labels$image[i]), 200, 150)
#'   par(mar = rep(0, 4), bg = hcl.colors(24)[i])
#'   if (labels$label[i] == "map") {
#'     image(matrix(runif(100), 10), col = hcl.colors(9, hcl.pals()[i]))
#'   } else {
#'     plot(rnorm(20), type = "l", lwd = 9, col = i)
#'   }
#'   dev.off()
#' }
#' learned <- suppressWarnings(learning_curve(
#'   labels,
#'   image_dir = folder, sizes = c(10, 14), repeats = 1, progress = FALSE
#' ))
#' learned$curve
learning_curve <- function(
  labels,
  image_col = "image",
  label_col = "label",
  image_dir = NULL,
  coders = NULL,
  task = "auto",
  backbone = "efficientnet_lite0",
  method = "head",
  groups = NULL,
  class_weights = NULL,
  sizes = NULL,
  repeats = 5,
  conf_level = 0.95,
  seed = 1,
  device = "auto",
  cache = TRUE,
  progress = TRUE
) {
  run_on_labels("learning_curve", as.list(environment()))
}

# nolint start: object_name_linter.
#' @rdname imagesasdata_findings
#' @exportS3Method generics::tidy
tidy.imagesasdata_model <- function(x, ...) {
  tidy.imagesasdata_findings(validation_of(x, "x", rlang::current_env()), ...)
}

#' @rdname imagesasdata_findings
#' @exportS3Method generics::glance
glance.imagesasdata_model <- function(x, ...) {
  glance.imagesasdata_findings(validation_of(x, "x", rlang::current_env()), ...)
}
# nolint end

validation_of <- function(model, argument, call) {
  if (is.null(model$validation)) {
    text <- "`%s` is the model \"%s\", which has no `validation`: only what fine_tune() returned has one."
    abort("argument_invalid", sprintf(text, argument, model$name), call)
  }
  model$validation
}
