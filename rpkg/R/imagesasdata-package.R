#' Photographs as data for social science
#'
#' The verbs take photographs and return data frames: [classify_images()], [tag_images()] and [embed_images()] make
#' columns from images, [merge_predictions()] brings them into the data of a study. Every image has its row, in order;
#' an image that cannot be read has a text in the column `error` and missing values elsewhere.
#'
#' For a model of your own: [sample_images()] draws photographs to code by hand, [coder_agreement()] says how far coders
#' agree, [fine_tune()] makes a model of their labels, [cross_validate()], [evaluate_predictions()] and
#' [learning_curve()] say how good it is, and [write_report()] writes it down.
#'
#' The work is done by the Python package of the same name. [install_imagesasdata()] installs it, [iad_doctor()] says
#' what is there and what is missing. Attaching this package neither starts nor needs Python.
#'
#' @section Options:
#' `imagesasdata.source`: what reticulate installs where it makes the Python environment itself (see
#' [reticulate::py_require()]): a requirement, a folder, a wheel or a Git address. It has to be set before the package
#' is loaded.
#'
#' @section Conditions:
#' Errors have a class for each cause, such as `imagesasdata_image_column_missing` or `imagesasdata_model_not_found`,
#' and all have the class `imagesasdata_error`, for [tryCatch()].
#'
#' @keywords internal
"_PACKAGE"
