# Hand labels and predictions on their way to Python.

# A verb whose first argument is `labels`, and which answers with findings, or with what `to_r` makes of the answer.
run_on_labels <- function(verb, arguments, to_r = as_findings, call = rlang::caller_env()) {
  iad <- python_module(call)
  call_for_findings(iad[[verb]]$for_r, send_labels(arguments, call), call, to_r)
}

# Of a data frame the columns that are named go to Python, and of the others their names, for its messages.
send_labels <- function(arguments, call, also = NULL) {
  labels <- arguments$labels
  if (is.data.frame(labels)) {
    used <- c(unlist(arguments[c("image_col", "label_col", "coders", "groups")]), also)
    arguments$labels <- send_table(columns_for_python(labels, used), "labels", call)
  } else if (!rlang::is_string(labels)) {
    text <- sprintf("`labels` is %s; give a data frame, a folder of class folders, or a table file.", kind(labels))
    abort("argument_invalid", text, call)
  }
  arguments[c("label_col", "coders")] <- lapply(arguments[c("label_col", "coders")], unname)
  if (!is.null(arguments$sizes)) {
    arguments$sizes <- lapply(as.list(unname(arguments$sizes)), whole_number)
  }
  arguments$class_weights <- weights_for_python(arguments$class_weights, call)
  arguments
}

weights_for_python <- function(weights, call) {
  if (is.null(weights) || rlang::is_string(weights)) {
    return(weights)
  }
  if (!is.numeric(unlist(weights)) || !rlang::is_named(weights)) {
    text <- "`class_weights` must be \"balanced\", or numbers named after classes, such as c(protest = 2, other = 1)."
    abort("argument_invalid", text, call)
  }
  as.list(weights)
}

columns_for_python <- function(data, used) {
  sent <- names_only(data)
  for (i in which(names(data) %in% used)) {
    sent[[i]] <- plain_column(data[[i]])
  }
  sent
}

# A factor is text with its labels, and so are haven's numbers with labels; an ordered factor keeps its order.
plain_column <- function(column) {
  if (inherits(column, "haven_labelled")) {
    labels <- attr(column, "labels")
    values <- unclass(column)
    at <- match(values, labels)
    if (all(is.na(values) | !is.na(at))) {
      return(names(labels)[at])
    }
    return(as.vector(values))
  }
  if (is.factor(column) && !is.ordered(column)) as.character(column) else column
}

# Photographs that were coded before: a data frame with their paths, or what `images` may be too.
send_labelled <- function(arguments, call) {
  labelled <- arguments$labelled
  if (is.data.frame(labelled)) {
    used <- c(arguments$image_col, "image")
    arguments$labelled <- send_table(columns_for_python(labelled, used), "labelled", call)
  } else if (is.character(labelled) || is.factor(labelled)) {
    labelled <- as.character(labelled)
    arguments$labelled <- if (length(labelled) == 1) labelled else as.list(labelled[!is.na(labelled)])
  } else if (!is.null(labelled)) {
    text <- sprintf("`labelled` is %s; give a data frame, paths, a folder or a table file.", kind(labelled))
    abort("argument_invalid", text, call)
  }
  arguments
}

truth_for_python <- function(truth, columns, call) {
  if (rlang::is_string(truth)) {
    return(truth)
  }
  if (is.data.frame(truth)) {
    return(table_to_python(arrow_columns(truth)))
  }
  if (is.character(truth) && length(truth) > 0 && all(truth %in% columns)) {
    return(as.list(unname(truth)))
  }
  if (!is.atomic(truth) || is.null(truth)) {
    text <- "`truth` is %s; give the name of a column, a vector with a label for each row, or a data frame."
    abort("argument_invalid", sprintf(text, kind(truth)), call)
  }
  # In a table, since NA has no place in a Python list of text.
  table_to_python(as_table(list(truth = plain_column(unname(truth))), length(truth)))$column(0L)
}

# All columns that hold text, numbers, logicals or dates; of any other, such as a list, only the name. The levels of a
# factor are the classes, also those that no row has.
arrow_columns <- function(data) {
  sent <- names_only(data)
  for (i in which(vapply(data, is_plain, TRUE))) {
    sent[[i]] <- if (is.factor(data[[i]])) data[[i]] else plain_column(data[[i]])
  }
  sent
}

is_plain <- function(column) {
  kinds <- c("Date", "POSIXct", "integer64", "haven_labelled", "factor", "character", "logical", "numeric", "integer")
  is.null(dim(column)) && (inherits(column, kinds) || class(column)[1] %in% kinds)
}
