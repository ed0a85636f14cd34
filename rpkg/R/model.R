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
  with_python_errors(as_model(iad$load_model(model)), call)
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
    licence = card$licence,
    file = x$path,
    sha256 = substr(x$sha256, 1, 16)
  )
  c(cli::style_bold(sprintf("<model %s>", x$name)), sprintf("%s  %s", format(names(lines)), lines))
}

#' @export
print.imagesasdata_model <- function(x, ...) {
  cat(format(x, ...), sep = "\n")
  invisible(x)
}

#' Read the card of a model
#'
#' The card says in words what a model is for, where it comes from, what it was trained on and how well it does.
#'
#' @inheritParams classify_images
#' @returns The text (Markdown), a string that prints as it reads.
#' @inheritSection load_model Errors
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' model_card("efficientnet_lite0")
model_card <- function(model = "efficientnet_lite0") {
  call <- rlang::current_env()
  iad <- python_module(call)
  if (inherits(model, "imagesasdata_model")) {
    model <- model$path
  }
  text <- with_python_errors(text_from_python(iad$model_card(model)), call)
  structure(text, class = c("imagesasdata_card", "character"))
}

#' @export
print.imagesasdata_card <- function(x, ...) {
  cat(x, sep = "\n")
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
  call_python(iad$list_models$arrow, list(), call)
}
