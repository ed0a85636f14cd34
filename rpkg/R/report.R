# Findings as a page to read, and what a model looks at.

#' Write a report
#'
#' Writes what was found as one HTML page: the metrics with their intervals, pictures, the photographs of the most
#' confident errors and of the least certain labels, and where the numbers come from. The page has no script and loads
#' nothing, so it can be opened without a network. It holds photographs, small: share it only as you may share them.
#'
#' @inheritParams classify_images
#' @param findings What [cross_validate()], [evaluate_predictions()] or [learning_curve()] returned, or a model from
#'   [fine_tune()].
#' @param out The page to write, such as `"report.html"`.
#' @param model The model that was evaluated. Its card is then quoted, and maps show where it saw its most confident
#'   errors (see [saliency_map()]), where the model has such maps. Where `findings` is a model, that one.
#' @param overwrite Whether to replace a file that is there.
#' @returns The path of the page, invisibly. It appears only when it is whole.
#' @section Errors: `imagesasdata_argument_invalid`: there is a file already, it cannot be written, or the findings are
#'   of another kind. `imagesasdata_dependency_missing`: Python's matplotlib is not installed.
#'   `imagesasdata_model_not_found`, `imagesasdata_model_invalid`.
#' @export
#' @examplesIf imagesasdata:::python_ready() && reticulate::py_module_available("matplotlib")
#' predictions <- data.frame(
#'   image = sprintf("%d.jpg", 1:40), truth = rep(c("protest", "other"), 20),
#'   label = rep(c("protest", "other", "protest", "protest"), 10)
#' )
#' found <- suppressWarnings(evaluate_predictions(predictions, "truth", replicates = 100))
#' page <- tempfile(fileext = ".html")
#' write_report(found, page)
#' file.exists(page)
write_report <- function(findings, out, model = NULL, image_dir = NULL, overwrite = FALSE) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  if (inherits(findings, "imagesasdata_model")) {
    if (is.null(model)) {
      arguments$model <- findings
    }
    findings <- validation_of(findings, "findings", call)
  }
  check_findings(findings, call)
  iad <- python_module(call)
  arguments$findings <- with_python_errors(findings_to_python(findings), call)
  path <- with_python_errors(text_from_python(do.call(iad$write_report, arguments_for_python(arguments))), call)
  invisible(path)
}

#' Where a model sees a class
#'
#' Says where in a photograph a model sees a class: its class activation map. The last layer of the network weighs the
#' averages of feature maps; the same weights, applied to the maps before they are averaged, say how much each place
#' adds to the class. For models whose embedding is that average, such as the bundled ones and all that are fine-tuned
#' from them, this is no approximation.
#'
#' @inheritParams classify_images
#' @param image Path of one photograph.
#' @param class_name The class, attribute or score. `NULL`: the predicted class, the most probable attribute, or the
#'   only score.
#' @returns A matrix with numbers from 0 to 1: 1 where the class gets most, 0 where it gets nothing or less (all 0 where
#'   that is everywhere). Rows are from top to bottom, columns from left to right, of what the model sees, which is the
#'   upright photograph after the model's own crop: for the bundled models the centre square, and not the margins. It is
#'   interpolated from few fields (7 x 7 in EfficientNet-Lite0), so an edge in it is no edge of a thing.
#' @section Errors: `imagesasdata_image_failed`: the photograph cannot be read. `imagesasdata_model_invalid`: the last
#'   layer of the model does not stand on an average of feature maps. `imagesasdata_argument_invalid`: the model has no
#'   such class.
#' @references Zhou, B., Khosla, A., Lapedriza, A., Oliva, A. and Torralba, A. (2016). Learning deep features for
#'   discriminative localization. CVPR, 2921-2929.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' seen <- saliency_map(photo)
#' dim(seen)
#' image(t(seen)[, nrow(seen):1], axes = FALSE)
saliency_map <- function(image, model = "efficientnet_lite0", class_name = NULL, device = "cpu") {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  if (!rlang::is_string(image)) {
    abort("argument_invalid", sprintf("`image` is %s; give the path of one photograph.", kind(image)), call)
  }
  iad <- python_module(call)
  with_python_errors(from_python(do.call(iad$saliency_map, arguments_for_python(arguments))), call)
}
