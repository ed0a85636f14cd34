# Predictions into the data of a study.

#' Merge predictions into data
#'
#' Adds predictions to a data set, keeping every row and column of it, in order, and says what did not match. Several
#' images of one unit, such as the photographs of a post, are summed up where `how` says in what way.
#'
#' @param data A data frame with one row for each unit: a photograph, a post, an account.
#' @param predictions A data frame from [classify_images()] or another verb with one row for each image.
#' @param by The key: the name of a column of both, or as in dplyr `c(photo = "image")`, where `photo` is the column of
#'   `data` and `image` that of `predictions`. Several columns together can be the key.
#' @param how `"any"`: does at least one image of the unit show it. `"mean"`: share of its images that show it, and mean
#'   probability or score. `"max"`: highest probability or score. `NULL`: each unit has one image, and two rows of
#'   `predictions` with the same key are an error. Images that failed are left out of the sum.
#'
#' @returns `data` with the columns of `predictions` that it does not have. With `how` instead: `any_<class>`; or
#'   `share_<class>`, `prob_<class>` and `score_<name>`; or `prob_<class>` and `score_<name>`; and always `n_images`
#'   (rows of `predictions` with this key) and `n_used` (those that did not fail). Rows of `data` without predictions
#'   have missing values, and 0 images. With more than 25 classes, only those that occur get columns. In the attribute
#'   `imagesasdata`, `merge` counts what matched.
#'
#' @section Warnings: `imagesasdata_warning`: rows of `data` without predictions, predictions without a row of `data`,
#'   and keys that `data` has twice.
#' @section Errors: `imagesasdata_keys_invalid`: a key column is missing or of another kind, nothing matches, or one key
#'   has several predictions and `how` is `NULL`. `imagesasdata_column_exists`: `data` has a prediction column already.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' posts <- data.frame(post = c("a", "b"), retweets = c(12, 3))
#' photos <- data.frame(post = c("a", "a", "b"), label = factor(c("protest", "other", "other")))
#' merge_predictions(posts, photos, by = "post", how = "any")
merge_predictions <- function(data, predictions, by = "image", how = NULL) {
  call <- rlang::current_env()
  iad <- python_module(call)
  check_data_frame(data, "data", call)
  check_data_frame(predictions, "predictions", call)
  by <- unlist(by)
  mine <- rlang::names2(by)
  mine[mine == ""] <- by[mine == ""]
  # Only the keys go to Python, and the names of the other columns, so that nothing of `data` can change on the way.
  sent <- names_only(data)
  keys <- names(data) %in% mine
  sent[keys] <- as.list(data)[keys]
  arguments <- list(
    data = send_table(sent, "data", call),
    predictions = send_table(predictions, "predictions", call),
    by = as.list(rlang::set_names(unname(by), mine)),
    how = how
  )
  table <- call_python(iad$merge_predictions$for_r, arguments, call)
  provenance <- utils::modifyList(as.list(attr(predictions, "imagesasdata")), attr(table, "imagesasdata"))
  add_columns(data, table[-seq_along(data)], list(imagesasdata = provenance))
}

check_data_frame <- function(value, argument, call) {
  if (!is.data.frame(value)) {
    abort("argument_invalid", sprintf("`%s` is %s; give a data frame.", argument, kind(value)), call)
  }
}
