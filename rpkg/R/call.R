# One call of a Python function: arguments on the way there, a table, or what else `to_r` makes, on the way back.

call_python <- function(verb, arguments, call) {
  warn_of_notes(run_python(verb, arguments, call, table_to_r), call)
}

run_python <- function(verb, arguments, call, to_r) {
  bar <- progress_for_python(arguments$progress)
  on.exit(bar$close())
  arguments$progress <- bar$report
  tryCatch(
    with_python_errors(to_r(do.call(verb, arguments_for_python(arguments))), call),
    # An error in the user's own progress function went through Python, which kept its text only.
    imagesasdata_python_error = function(cnd) stop(if (is.null(bar$raised())) cnd else bar$raised())
  )
}

whole_arguments <- c(
  "top",
  "batch_size",
  "max_pixels",
  "max_bytes",
  "size",
  "resize",
  "n",
  "folds",
  "repeats",
  "epochs",
  "replicates",
  "seed",
  "quality",
  "max_frames",
  "min_size"
)

# NULL is an argument not given. R writes 5 for what Python wants as a whole number.
arguments_for_python <- function(arguments) {
  arguments <- Filter(Negate(is.null), arguments)
  whole <- intersect(names(arguments), whole_arguments)
  arguments[whole] <- lapply(arguments[whole], whole_number)
  for (one in intersect(names(arguments), c("model", "backbone"))) {
    arguments[[one]] <- model_for_python(arguments[[one]])
  }
  if (!is.null(arguments$models)) {
    several <- if (inherits(arguments$models, "imagesasdata_model")) list(arguments$models) else arguments$models
    arguments$models <- lapply(as.list(several), model_for_python)
  }
  lapply(arguments, text_for_python)
}

text_for_python <- function(value) {
  if (is.character(value)) {
    return(as_utf8(value))
  }
  if (!identical(class(value), "list")) {
    return(value)
  }
  names(value) <- as_utf8(names(value))
  lapply(value, text_for_python)
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
  # nanoarrow 0.6 cannot send ordered factors, so that they are ordered has to be said again on the other side.
  ordered <- which(vapply(data, is.ordered, TRUE))
  data[ordered] <- lapply(data[ordered], function(column) factor(column, levels(column), ordered = FALSE))
  stream <- frame_to_stream(data)
  table <- the$module$tables$import_stream(the$int(stream_address(stream)))
  Reduce(order_column, ordered, table)
}

order_column <- function(table, i) {
  column <- table$column(i - 1L)$combine_chunks()
  arrays <- reticulate::import("pyarrow", convert = FALSE)$DictionaryArray
  table$set_column(
    i - 1L,
    table$field(i - 1L)$name,
    arrays$from_arrays(column$indices, column$dictionary, ordered = TRUE)
  )
}

send_table <- function(data, argument, call) {
  lists <- names(data)[vapply(data, is.list, TRUE)]
  if (length(lists) > 0) {
    text <- sprintf("`%s` has columns that are lists: %s. Drop them first.", argument, toString(lists))
    abort("argument_invalid", text, call)
  }
  table_to_python(data)
}

table_to_r <- function(table) {
  stream <- allocate_stream()
  the$module$tables$export_stream(table, the$int(stream_address(stream)))
  stream_to_frame(stream)
}

# What in Python is a warning comes with the table, since R does not see Python's warnings.
warn_of_notes <- function(table, call) {
  warn(attr(table, "imagesasdata")$notes, call)
  attr(table, "imagesasdata")$notes <- NULL
  table
}

warn <- function(notes, call) {
  for (note in notes) {
    rlang::warn(note, class = "imagesasdata_warning", call = call)
  }
}

from_python <- function(value) {
  if (inherits(value, "python.builtin.object")) reticulate::py_to_r(value) else value
}

text_from_python <- function(value) {
  if (inherits(value, "python.builtin.object")) reticulate::py_str(value) else as.character(value)
}
