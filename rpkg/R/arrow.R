# Tables cross between Python and R by the Arrow C stream: a struct in memory of which one side tells the other the
# address. The Python package reads this file too (through rpy2), so nothing here uses the rest of the R package.

allocate_stream <- function() {
  nanoarrow::nanoarrow_allocate_array_stream()
}

# A decimal number, as text: R's numbers do not hold every address.
stream_address <- function(stream) {
  nanoarrow::nanoarrow_pointer_addr_chr(stream)
}

# Text becomes character, a dictionary a factor with all its levels, null NA. Empties the stream.
stream_to_frame <- function(stream) {
  schema <- stream$get_schema()
  batches <- nanoarrow::collect_array_stream(stream, validate = FALSE)
  rows <- sum(vapply(batches, function(batch) batch$length, 0))
  # Column by column, so that the levels of a factor can be read before the factor is made.
  pieces <- lapply(batches, function(batch) batch$children)
  fields <- schema$children
  columns <- lapply(seq_along(fields), function(i) column_to_r(fields[[i]], lapply(pieces, `[[`, i)))
  table <- as_table(stats::setNames(columns, names(fields)), rows)
  provenance <- schema$metadata[["imagesasdata"]]
  if (!is.null(provenance)) {
    attr(table, "imagesasdata") <- jsonlite::fromJSON(provenance)
  }
  table
}

column_to_r <- function(field, pieces) {
  convert <- function(to) {
    stream <- nanoarrow::basic_array_stream(pieces, schema = field, validate = FALSE)
    nanoarrow::convert_array_stream(stream, to)
  }
  if (!is.null(field$dictionary)) {
    # Batches may have dictionaries of their own. The levels count also where no row has them.
    levels <- lapply(pieces, function(piece) nanoarrow::convert_array(piece$dictionary))
    return(convert(factor(levels = as.character(unique(unlist(levels))))))
  }
  if (field$format %in% c("l", "L")) {
    return(whole_numbers_to_r(convert))
  }
  # A column without any value has Arrow's type "null".
  column <- convert(if (field$format == "n") logical() else nanoarrow::infer_nanoarrow_ptype(field))
  # Text is a view of Arrow's memory, which must not outlive Python: the subset is a copy.
  if (is.character(column)) column[seq_along(column)] else column
}

# R has no 64-bit integers. Beyond 2^53, where doubles have gaps, an identifier would become another: it stays text.
whole_numbers_to_r <- function(convert) {
  numbers <- suppressWarnings(convert(double()))
  if (any(abs(numbers) > 2^53, na.rm = TRUE)) convert(character()) else numbers
}

as_table <- function(columns, rows) {
  if (requireNamespace("tibble", quietly = TRUE)) {
    return(tibble::new_tibble(columns, nrow = as.integer(rows)))
  }
  structure(columns, class = "data.frame", row.names = .set_row_names(rows))
}

# The stream has to be kept until the other side has emptied it.
frame_to_stream <- function(data) {
  names(data) <- as_utf8(names(data))
  data[] <- lapply(data, function(column) {
    if (is.factor(column)) {
      levels(column) <- as_utf8(levels(column))
    }
    if (is.character(column)) as_utf8(column) else column
  })
  nanoarrow::as_nanoarrow_array_stream(data)
}

# Text in UTF-8, whatever the locale. The name of a file is bytes, and in the C locale R does not know what they mean:
# they are taken for UTF-8. What cannot be text at all shows its bytes, as in "\xe9.jpg".
as_utf8 <- function(text) {
  plain <- is.na(text) | !grepl("[^ -~]", text, useBytes = TRUE)
  if (all(plain)) {
    return(text)
  }
  locale <- l10n_info()
  ignorant <- locale[["UTF-8"]] || isTRUE(locale$codeset %in% c("ANSI_X3.4-1968", "US-ASCII", "ASCII", "646"))
  taken <- !plain & (Encoding(text) == "bytes" | (Encoding(text) == "unknown" & ignorant))
  Encoding(text)[taken] <- "UTF-8"
  text[!taken] <- enc2utf8(text[!taken])
  wrong <- !plain & !validUTF8(text)
  text[wrong] <- gsub("<([0-9a-f]{2})>", "\\\\x\\1", iconv(text[wrong], "UTF-8", "UTF-8", sub = "byte"))
  text
}
