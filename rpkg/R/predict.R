# Models in tidymodels' terms: predict() and augment(), with columns that begin with .pred.

#' Predictions in tidymodels' form
#'
#' `predict()` returns only predictions, one row for each row of `new_data`, and `augment()` returns `new_data` with
#' them: names and shape are those of tidymodels, so that yardstick and the like can go on from here. An image that
#' cannot be read has missing predictions; [classify_images()] says why. `augment()` is a generic of the package
#' generics: call `generics::augment(x, new_data)`, or attach a package that has it, such as broom or tidymodels.
#'
#' @param object,x A model from [load_model()].
#' @param new_data Photographs, as `images` in [classify_images()]: a data frame together with `image_col`, or paths.
#' @param type `"class"` or `"prob"`. A model that gives scores has one kind of prediction, whatever `type` is.
#' @param probs Whether `augment()` adds a column for the probability of each class. `NULL`: only where there are 25
#'   classes or fewer.
#' @param ... Other arguments of [classify_images()], such as `image_col` and `device`.
#' @returns A tibble, or a data frame where tibble is not installed, with
#'
#' * exclusive classes: `.pred_class` (a factor with all classes) or `.pred_<class>`, probabilities;
#' * several attributes: `.pred_class_<attribute>` (logical) or `.pred_<attribute>`, probabilities;
#' * scores: `.pred_<name>`.
#' @inheritSection classify_images Errors
#' @name predict.imagesasdata_model
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' model <- load_model()
#' predict(model, data.frame(photo = photo), image_col = "photo", progress = FALSE)
NULL

#' @rdname predict.imagesasdata_model
#' @importFrom stats predict
#' @export
predict.imagesasdata_model <- function(object, new_data, type = c("class", "prob"), ...) {
  type <- rlang::arg_match(type)
  predicted <- classify_for_tidymodels(object, new_data, probs = type == "prob", ...)
  columns <- pred_columns(predicted, object$card)
  columns[columns_of_type(object$card, type)]
}

# nolint start: object_name_linter.
#' @rdname predict.imagesasdata_model
#' @exportS3Method generics::augment
augment.imagesasdata_model <- function(x, new_data, probs = NULL, ...) {
  predicted <- classify_for_tidymodels(x, new_data, probs = probs, ...)
  added <- pred_columns(predicted, x$card)
  if (!is.data.frame(new_data)) {
    new_data <- predicted["image"]
  }
  existing <- intersect(names(added), names(new_data))
  if (length(existing) > 0) {
    text <- sprintf("`new_data` already has the column(s) %s. Rename or drop them first.", toString(existing))
    abort("column_exists", text, rlang::current_env())
  }
  add_columns(new_data, added, attributes(predicted))
}
# nolint end

# Only the paths are given to the verb: a column `label` in the data is the truth here, not in the way.
classify_for_tidymodels <- function(model, new_data, image_col = NULL, ...) {
  if (is.data.frame(new_data) && sum(names(new_data) %in% image_col) == 1) {
    new_data <- as_table(list(image = new_data[[image_col]]), nrow(new_data))
    image_col <- "image"
  }
  classify_images(new_data, model = model, image_col = image_col, ...)
}

# The table of classify_images() with tidymodels' names. Classes stand before probabilities there and here.
pred_columns <- function(predicted, card) {
  old <- c(
    if (card$task == "single") "label",
    if (card$task == "multi") card$classes,
    if (card$task == "score") paste0("score_", card$classes) else paste0("prob_", card$classes)
  )
  new <- c(columns_of_type(card, "class"), if (card$task != "score") columns_of_type(card, "prob"))
  there <- old %in% names(predicted)
  stats::setNames(predicted[old[there]], new[there])
}

columns_of_type <- function(card, type) {
  numbers <- paste0(".pred_", card$classes)
  if (card$task == "score" || type == "prob") {
    return(numbers)
  }
  if (card$task == "single") ".pred_class" else paste0(".pred_class_", card$classes)
}
