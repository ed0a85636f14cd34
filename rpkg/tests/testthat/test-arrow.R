through_arrow <- function(data) {
  stream <- allocate_stream()
  nanoarrow::nanoarrow_pointer_export(frame_to_stream(data), stream_address(stream))
  stream_to_frame(stream)
}

test_that("every kind of column comes back with its missing values", {
  data <- data.frame(
    text = c("caf\u00e9", NA, ""),
    number = c(0.5, NA, Inf),
    whole = c(1L, NA, -3L),
    truth = c(TRUE, NA, FALSE),
    class = factor(c("b", NA, "a"), levels = c("b", "a", "never"))
  )
  back <- through_arrow(data)
  expect_equal(as.data.frame(back), data)
})

test_that("a factor keeps its levels when there are no rows", {
  class <- factor(character(), levels = c("protest", "other"))
  # nanoarrow sends no batch for no rows; Python sends an empty one, as here
  array <- nanoarrow::as_nanoarrow_array(data.frame(class = class))
  back <- stream_to_frame(nanoarrow::basic_array_stream(list(array)))
  expect_identical(back$class, class)
})

test_that("batches with dictionaries of their own become one factor", {
  batches <- lapply(list(c("a", "b"), c("c", "b")), function(levels) {
    nanoarrow::as_nanoarrow_array(data.frame(class = factor(levels, levels = levels)))
  })
  back <- stream_to_frame(nanoarrow::basic_array_stream(batches))
  expect_identical(back$class, factor(c("a", "b", "c", "b")))
})

test_that("text is R's own memory and not a view of Arrow's", {
  back <- through_arrow(data.frame(text = c("a", "b")))
  expect_false(nanoarrow:::is_nanoarrow_altrep(back$text))
})

test_that("whole numbers of 64 bits are numbers, or text where a number would change them", {
  as_int64 <- function(x) nanoarrow::as_nanoarrow_array(x, schema = nanoarrow::na_int64())
  frame_of <- function(array) {
    schema <- nanoarrow::na_struct(list(id = nanoarrow::na_int64()))
    struct <- nanoarrow::nanoarrow_array_init(schema)
    struct <- nanoarrow::nanoarrow_array_modify(
      struct,
      list(length = array$length, null_count = 0, buffers = list(NULL), children = list(id = array))
    )
    stream_to_frame(nanoarrow::basic_array_stream(list(struct)))
  }
  expect_identical(frame_of(as_int64(c(1, NA, 2^53)))$id, c(1, NA, 2^53))
  expect_identical(frame_of(as_int64(c(1, NA, 2^60)))$id, c("1", NA, "1152921504606846976"))
})

test_that("the provenance becomes an attribute", {
  stream <- allocate_stream()
  table <- structure(data.frame(a = 1), provenance = '{"device": "cpu", "notes": ["x", "y"]}')
  fake_export(table, stream_address(stream))
  expect_identical(attr(stream_to_frame(stream), "imagesasdata"), list(device = "cpu", notes = c("x", "y")))
})

test_that("the file works without the rest of the package, as Python uses it", {
  alone <- new.env(parent = baseenv())
  names <- c(
    "allocate_stream",
    "stream_address",
    "stream_to_frame",
    "frame_to_stream",
    "column_to_r",
    "whole_numbers_to_r",
    "as_table",
    "as_utf8"
  )
  for (name in names) {
    code <- get(name, asNamespace("imagesasdata"))
    environment(code) <- alone
    assign(name, code, alone)
  }
  data <- data.frame(text = c("a", NA), class = factor(c("x", "y")))
  expect_equal(as.data.frame(alone$stream_to_frame(alone$frame_to_stream(data))), data)
})
