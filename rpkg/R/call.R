# One call of a Python function that answers with a table: arguments on the way there, the table on the way back.

call_python <- function(verb, arguments, call) {
  bar <- progress_for_python(arguments$progress)
  on.exit(bar$close())
  arguments$progress <- bar$report
  table <- tryCatch(
    with_python_errors(table_to_r(do.call(verb, arguments_for_python(arguments))), call),
    # An error in the user's own progress function went through Python, which kept its text only.
    imagesasdata_python_error = function(cnd) stop(if (is.null(bar$raised())) cnd else bar$raised())
  )
  warn_of_notes(table, call)
}

# NULL is an argument not given. R writes 5 for what Python wants as a whole number.
arguments_for_python <- function(arguments) {
  arguments <- Filter(Negate(is.null), arguments)
  whole <- intersect(names(arguments), c("top", "batch_size", "max_pixels", "max_bytes", "size", "resize"))
  arguments[whole] <- lapply(arguments[whole], whole_number)
  arguments$model <- model_for_python(arguments$model)
  if (!is.null(arguments$models)) {
    several <- if (inherits(arguments$models, "imagesasdata_model")) list(arguments$models) else arguments$models
    arguments$models <- lapply(as.list(several), model_for_python)
  }
  arguments
}

model_for_python <- function(model) {
  if (inherits(model, "imagesasdata_model")) model$path else model
}

whole_number <- function(value) {
  is_whole <- is.double(value) && length(value) == 1 && is.finite(value) && value == trunc(value)
  if (!is_whole) {
    return(value)
  }
  if (abs(value) <= .Machine$integer.max) as.integer(value) else the$int(format(value, scientific = FALSE))
}

table_to_python <- function(data) {
  stream <- frame_to_stream(data)
  the$module$tables$import_stream(the$int(stream_address(stream)))
}

table_to_r <- function(table) {
  stream <- allocate_stream()
  the$module$tables$export_stream(table, the$int(stream_address(stream)))
  stream_to_frame(stream)
}

# What in Python is a warning comes with the table, since R does not see Python's warnings.
warn_of_notes <- function(table, call) {
  for (note in attr(table, "imagesasdata")$notes) {
    rlang::warn(note, class = "imagesasdata_warning", call = call)
  }
  attr(table, "imagesasdata")$notes <- NULL
  table
}

from_python <- function(value) {
  if (inherits(value, "python.builtin.object")) reticulate::py_to_r(value) else value
}

text_from_python <- function(value) {
  if (inherits(value, "python.builtin.object")) reticulate::py_str(value) else as.character(value)
}
