# A Python made of R: lists of functions in the place of modules, data frames in the place of Arrow tables. The Arrow
# streams between the two are real.

local_fake_python <- function(..., frame = parent.frame()) {
  before <- as.list(the)
  the$module <- list(..., tables = list(export_stream = fake_export, import_stream = fake_import))
  the$int <- identity
  withr::defer(
    {
      rm(list = ls(the), envir = the)
      list2env(before, the)
    },
    envir = frame
  )
}

# A verb that remembers what it got in `calls` and answers with what `answer(arguments)` returns.
fake_verb <- function(answer) {
  calls <- list()
  list(
    for_r = function(...) {
      calls[[length(calls) + 1]] <<- list(...)
      answer(list(...))
    },
    calls = function() calls
  )
}

fake_export <- function(table, address) {
  schema <- nanoarrow::infer_nanoarrow_schema(table)
  json <- attr(table, "provenance")
  if (!is.null(json)) {
    schema <- nanoarrow::nanoarrow_schema_modify(schema, list(metadata = list(imagesasdata = json)))
  }
  stream <- nanoarrow::as_nanoarrow_array_stream(table, schema = schema)
  nanoarrow::nanoarrow_pointer_export(stream, address)
}

fake_import <- function(address) {
  stream <- allocate_stream()
  nanoarrow::nanoarrow_pointer_move(address, stream)
  as.data.frame(stream)
}

# Answers like classify_images: the columns that it got, and the predictions for each row.
fake_classify <- function() {
  fake_verb(function(arguments) {
    table <- arguments$images
    paths <- table[[arguments$image_col]]
    table$label <- factor(ifelse(is.na(paths), NA, "other"), levels = c("protest", "other"))
    table$prob <- ifelse(is.na(paths), NA, 0.75)
    table$error <- ifelse(is.na(paths), "no path was given", NA)
    structure(table, provenance = '{"model": "fake", "device": "cpu"}')
  })
}

fake_card <- function(task = "single", classes = c("protest", "other")) {
  list(
    name = "fake",
    task = task,
    classes = classes,
    licence = "CC0-1.0",
    preprocessing = list(size = 224L, colour = "RGB")
  )
}

fake_model <- function(...) {
  structure(
    list(name = "fake", path = "/models/fake.onnx", sha256 = strrep("0123456789abcdef", 4), card = fake_card(...)),
    class = "imagesasdata_model"
  )
}
