# Python's exceptions as R conditions: the same text, without a traceback, and a class for tryCatch().

abort <- function(class, message, call, ...) {
  class <- c(paste0("imagesasdata_", class, recycle0 = TRUE), "imagesasdata_error")
  rlang::abort(message, class = class, call = call, ...)
}

# The problem, what was found, and the one command that mends it, which the doctor shows too.
abort_with_cure <- function(class, problem, found, cure, call) {
  names(found) <- rep("x", length(found))
  abort(class, c(problem, found, i = paste0(cure, ".")), call, problem = problem, cure = cure)
}

# An interrupt needs nothing here: reticulate makes an R interrupt of a KeyboardInterrupt.
with_python_errors <- function(code, call) {
  tryCatch(code, python.builtin.BaseException = function(cnd) abort_as_in_python(cnd, call))
}

abort_as_in_python <- function(cnd, call) {
  # conditionMessage() has the Python class before the text, and a hint for programmers after it.
  text <- reticulate::py_str(cnd)
  own <- "^imagesasdata\\.errors\\."
  classes <- sub(own, "", grep(own, class(cnd), value = TRUE))
  if (length(classes) > 0) {
    abort(snake_case(setdiff(classes, "ImagesAsDataError")), text, call)
  }
  name <- sub("^.*\\.", "", class(cnd)[[1]])
  hint <- "This is not an error that the package foresees. `reticulate::py_last_error()` has the Python traceback."
  abort("python_error", c(sprintf("Python raised %s: %s", name, text), i = hint), call)
}

snake_case <- function(names) {
  tolower(gsub("([a-z0-9])([A-Z])", "\\1_\\2", names))
}
