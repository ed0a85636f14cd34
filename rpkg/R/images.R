# What the verbs for images share: what of the images goes to Python, and how the answer joins the caller's data.

# A data frame's own columns stay in R, so that none of them changes on the way. Python gets the paths and, for its
# checks and its messages, the names of the other columns. Long tables have rows of their own and join nothing.
run_verb <- function(verb, arguments, long = FALSE, whole = !is.null(arguments$out), call = rlang::caller_env()) {
  iad <- python_module(call)
  images <- arguments$images
  sent <- send_images(arguments, call, whole, long)
  table <- call_python(iad[[verb]]$for_r, sent, call)
  if (!is.data.frame(images) || long) {
    return(table)
  }
  # All rows, unless the run was interrupted.
  if (nrow(table) < nrow(images)) {
    images <- images[seq_len(nrow(table)), , drop = FALSE]
  }
  add_columns(images, table[-seq_along(images)], attributes(table))
}

# What sample_frames() says of each photograph, kept in long tables too.
of_frames <- c("video", "time")

send_images <- function(arguments, call, whole = !is.null(arguments$out), long = FALSE) {
  images <- arguments$images
  if (is.data.frame(images)) {
    # Where `out` is a table, Python writes the caller's columns to the file too.
    sent <- paths_of(images, arguments$image_col, call, whole = whole)
    if (long && all(of_frames %in% names(images))) {
      sent[of_frames] <- lapply(images[of_frames], plain_column)
    }
    arguments$images <- table_to_python(sent)
    return(arguments)
  }
  if (is.factor(images)) {
    images <- as.character(images)
  }
  if (is.null(images) || !(is.character(images) || all(is.na(images)))) {
    text <- sprintf("`images` is %s; give a folder, a vector of paths, or a data frame with image_col=.", kind(images))
    abort("argument_invalid", text, call)
  }
  arguments$images <- images
  if (length(images) != 1 || is.na(images)) {
    # As a table, since NA has no place in a Python string. One path alone could be a folder or a pattern.
    arguments$images <- table_to_python(data.frame(image = as.character(images)))
    arguments$image_col <- "image"
  }
  arguments
}

# The paths, under their name, among the names of all columns.
paths_of <- function(data, image_col, call, whole = FALSE) {
  sent <- if (whole) as.data.frame(data) else names_only(data)
  for (i in which(names(data) %in% image_col)) {
    paths <- data[[i]]
    if (!is.character(paths) && !is.factor(paths) && !all(is.na(paths))) {
      text <- sprintf("The column \"%s\" of `images` is %s; it must hold paths as text.", image_col, kind(paths))
      abort("argument_invalid", text, call)
    }
    sent[[i]] <- as.character(paths)
  }
  sent
}

# A data frame with the same names and number of rows, and nothing in it.
names_only <- function(data) {
  nothing <- rep(NA, nrow(data))
  structure(
    rep(list(nothing), length(data)),
    names = names(data),
    class = "data.frame",
    row.names = .set_row_names(nrow(data))
  )
}

# The caller's data frame with columns added. A plain one becomes a tibble; others, such as sf, stay what they are.
add_columns <- function(data, added, attributes = list()) {
  stopifnot("Python answered with another number of rows" = nrow(added) == nrow(data))
  if (identical(class(data), "data.frame") && requireNamespace("tibble", quietly = TRUE)) {
    data <- tibble::as_tibble(data, .name_repair = "minimal")
  }
  data[names(added)] <- added
  attr(data, "imagesasdata") <- attributes$imagesasdata
  data
}

kind <- function(value) {
  sprintf("of class %s", class(value)[[1]])
}
