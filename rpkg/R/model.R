# Models: which there are, and what is known of one.

#' Load a model
#'
#' Finds a model by its name or its file and reads what the file says of itself. The result holds the path and that
#' text, nothing of Python, so `saveRDS()` keeps it; the file has to be where it was when it is used again.
#'
#' @inheritParams classify_images
#' @returns An object of class `imagesasdata_model`: a list with `name`, `path`, `sha256` (of the file) and `card`, a
#'   list with `task` (`"single"`, `"multi"` or `"score"`), `classes`, `preprocessing`, `licence`, `metrics` and more.
#'   It can be given as `model` to the verbs, and to [predict()][predict.imagesasdata_model] and `augment()`.
#' @section Errors: `imagesasdata_model_not_found`, `imagesasdata_model_invalid`.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' load_model("efficientnet_lite0")
load_model <- function(model = "efficientnet_lite0") {
  if (inherits(model, "imagesasdata_model")) {
    return(model)
  }
  call <- rlang::current_env()
  iad <- python_module(call)
  with_python_errors(as_model(iad$load_model(text_for_python(model))), call)
}

as_model <- function(loaded) {
  card <- jsonlite::fromJSON(text_from_python(loaded$card$to_json()))
  structure(
    list(
      name = card$name,
      path = text_from_python(loaded$path),
      sha256 = text_from_python(loaded$sha256),
      card = card
    ),
    class = "imagesasdata_model"
  )
}

#' @export
format.imagesasdata_model <- function(x, ...) {
  card <- x$card
  classes <- paste(c(utils::head(card$classes, 4), if (length(card$classes) > 4) "..."), collapse = ", ")
  lines <- c(
    task = card$task,
    classes = sprintf("%s: %s", format(length(card$classes), big.mark = ","), classes),
    input = sprintf("%d x %d pixels, %s", card$preprocessing$size, card$preprocessing$size, card$preprocessing$colour),
    measured = measured(card),
    licence = card$licence,
    file = x$path,
    sha256 = substr(x$sha256, 1, 16)
  )
  c(cli::style_bold(sprintf("<model %s>", x$name)), sprintf("%s  %s", format(names(lines)), lines))
}

# The metric that stands for all, with its interval, where cross-validation measured the model.
measured <- function(card) {
  metric <- c(single = "accuracy", multi = "macro_f1", score = "r2")[[card$task]]
  figures <- card$metrics[[metric]]
  if (!is.numeric(figures) || length(figures) != 3) {
    return(NULL)
  }
  how <- sub(",.*$", "", card$metrics$source)
  sprintf("%s %s (%s)", metric_name(metric), with_interval(figures[1], figures[2], figures[3]), how)
}

#' @export
print.imagesasdata_model <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}

#' Read the card of a model
#'
#' The card says in words what a model is for, where it comes from, what it was trained on and how well it does. For a
#' model of your own it has the sections of Mitchell et al. (2019), filled in as far as the file knows, the rest marked
#' *To be filled in by the researcher.* Save the text beside the model, under its name with `.md`, and complete it: from
#' then on it is the card.
#'
#' @inheritParams classify_images
#' @returns The text (Markdown), a string that prints as it reads.
#' @inheritSection load_model Errors
#' @references Mitchell, M. et al. (2019). Model cards for model reporting. FAT* 2019, 220-229.
#' @seealso [data_statement()] for the photographs that a model was trained on.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' model_card("efficientnet_lite0")
model_card <- function(model = "efficientnet_lite0") {
  call <- rlang::current_env()
  iad <- python_module(call)
  if (inherits(model, "imagesasdata_model")) {
    model <- model$path
  }
  as_card(with_python_errors(text_from_python(iad$model_card(text_for_python(model))), call))
}

as_card <- function(text) {
  structure(text, class = c("imagesasdata_card", "character"))
}

#' @export
format.imagesasdata_card <- function(x, ...) {
  strsplit(unclass(x), "\n", fixed = TRUE)[[1]]
}

#' @export
print.imagesasdata_card <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}

#' List the models
#'
#' @returns A tibble, or a data frame where tibble is not installed, with one row for each model: `name`, `task`,
#'   `classes` (how many), `size` (side of the input, in pixels), `megabytes`, `licence`, `where` (`"bundled"` or
#'   `"cache"`), `sha256` and `path`.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' list_models()
list_models <- function() {
  call <- rlang::current_env()
  iad <- python_module(call)
  call_python(iad$list_models$for_r, list(), call)
}

#' Add a model of your own, or remove one
#'
#' Takes an ONNX file into the models that are known by name. A file that this package wrote needs nothing else. For a
#' plain ONNX file, say what it lacks: the classes, and how a photograph becomes its input.
#'
#' @param path The `.onnx` file.
#' @param classes Names in the order of the output: a character vector, or a text file with one a line. An encoder, such
#'   as CLIP's image tower, has none: name the output that is its `embedding`, and use it with [embed_images()] or as a
#'   backbone of [fine_tune()].
#' @param size Side of the network's square input, in pixels. `NULL`: read from the file, where it is fixed there.
#' @param mean,std One number for each channel: the input is `(pixel / scale - mean) / std`.
#' @param scale 255 for `mean` and `std` between 0 and 1; 1 for between 0 and 255.
#' @param resize Short side before the centre crop, in pixels. `NULL`: `size * 256 / 224`.
#' @param rule `"short_side_crop"`, `"stretch"` or `"pad"`: how a photograph is made square.
#' @param filter `"nearest"`, `"box"`, `"bilinear"`, `"bicubic"` or `"lanczos"`.
#' @param colour `"RGB"`, `"BGR"` or `"grey"`.
#' @param task `"single"` (exclusive classes), `"multi"` (several attributes) or `"score"` (numbers).
#' @param activation `"softmax"`, `"sigmoid"` or `"none"`: what makes probabilities of the output. `NULL`: read from
#'   the file and the task.
#' @param output,embedding Names of tensors. `NULL`: found by their shape and place.
#' @param name Name of the model. `NULL`: the name of the file.
#' @param licence Licence of the weights.
#' @param overwrite Whether to replace a model of the same name.
#' @returns `add_model()`: the path of the model's new file. `remove_model()`: nothing.
#' @section Errors: `imagesasdata_model_card_missing` says what is lacking, all at once;
#'   `imagesasdata_model_invalid`, `imagesasdata_model_not_found`, `imagesasdata_argument_invalid`.
#' @export
#' @examples
#' \dontrun{
#' # an ONNX file from elsewhere, which says nothing of itself
#' add_model("protest.onnx",
#'   classes = c("no protest", "protest"), size = 224,
#'   mean = c(0.485, 0.456, 0.406), std = c(0.229, 0.224, 0.225)
#' )
#' }
#' @examplesIf imagesasdata:::python_ready()
#' add_model(load_model("efficientnet_lite0")$path, name = "my_network", overwrite = TRUE)
#' load_model("my_network")
#' remove_model("my_network")
add_model <- function(
  path,
  classes = NULL,
  size = NULL,
  mean = NULL,
  std = NULL,
  scale = 255,
  resize = NULL,
  rule = "short_side_crop",
  filter = "bilinear",
  colour = "RGB",
  task = "single",
  activation = NULL,
  output = NULL,
  embedding = NULL,
  name = NULL,
  licence = "unknown",
  overwrite = FALSE
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  iad <- python_module(call)
  # A vector of length one would become a single value, and Python wants lists here.
  for (several in c("mean", "std")) {
    if (!is.null(arguments[[several]])) arguments[[several]] <- as.list(arguments[[several]])
  }
  if (length(classes) > 1) {
    arguments$classes <- as.list(classes)
  }
  if (inherits(path, "imagesasdata_model")) {
    arguments$path <- path$path
  }
  with_python_errors(text_from_python(do.call(iad$add_model, arguments_for_python(arguments))), call)
}

#' @rdname add_model
#' @export
remove_model <- function(name) {
  call <- rlang::current_env()
  iad <- python_module(call)
  with_python_errors(iad$remove_model(text_for_python(name)), call)
  invisible()
}
