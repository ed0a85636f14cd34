# Names of files are text in UTF-8 for Python, whatever the locale and however R has marked them.

odd_names <- c(
  "caf\u00e9 \u00fc.png",
  "\u6297\u8bae.png",
  "\U0001F4F7 \U0001F468\u200D\U0001F469\u200D\U0001F467.png",
  "with  two spaces .png",
  "back\\slash.png",
  "e\u0301.png",
  "quote'\"s.png",
  "100%[1].png"
)

test_that("text that is marked as Latin-1 is sent as UTF-8", {
  latin1 <- iconv("caf\u00e9.png", "UTF-8", "latin1")
  expect_identical(charToRaw(as_utf8(latin1)), charToRaw(enc2utf8("caf\u00e9.png")))
  expect_identical(Encoding(as_utf8(latin1)), "UTF-8")
  expect_identical(as_utf8(c(a = "plain", b = NA)), c(a = "plain", b = NA))
  expect_identical(as_utf8(odd_names), odd_names)
  expect_null(as_utf8(NULL))
})

test_that("bytes are UTF-8 where they can be, and else are shown", {
  bytes <- "caf\u00e9.png"
  Encoding(bytes) <- "bytes"
  expect_identical(as_utf8(bytes), "caf\u00e9.png")
  invalid <- rawToChar(as.raw(c(0x63, 0xe9, 0x2e, 0x70)))
  expect_identical(as_utf8(c(invalid, NA)), c("c\\xe9.p", NA))
})

test_that("columns, their names, levels and single arguments are sent as UTF-8", {
  latin1 <- iconv(c("caf\u00e9", "\u00fc"), "UTF-8", "latin1")
  back <- stream_to_frame(frame_to_stream(stats::setNames(data.frame(latin1, factor(latin1)), latin1)))
  expect_identical(names(back), c("caf\u00e9", "\u00fc"))
  expect_identical(back[[1]], c("caf\u00e9", "\u00fc"))
  expect_setequal(levels(back[[2]]), c("caf\u00e9", "\u00fc"))
  sent <- arguments_for_python(list(image_dir = latin1[[1]], n = as.list(stats::setNames(1:2, latin1))))
  expect_identical(charToRaw(sent$image_dir), charToRaw("caf\u00e9"))
  expect_identical(charToRaw(names(sent$n)[[2]]), charToRaw("\u00fc"))
})

test_that("a table without columns can be sent", {
  expect_length(stream_to_frame(frame_to_stream(data.frame(a = 1:2)[0])), 0)
})

# nolint start: object_usage_linter. They are in helper-*.R.
# A photograph under each of these names, in a folder with such a name itself.
oddly_named <- function(names, frame = parent.frame()) {
  folder <- file.path(withr::local_tempdir(.local_envir = frame), "d\u00e9fil\u00e9 \u6297\u8bae \U0001F4F7")
  dir.create(folder)
  photo <- drawn_posts()$photo[[1]]
  expect_true(all(file.copy(photo, file.path(folder, names))))
  folder
}
# nolint end

test_that("photographs are found under any name, by folder, path and data frame", {
  skip_without_python()
  skip_on_os("windows") # a backslash and a quote are no part of a file's name there
  folder <- oddly_named(odd_names)
  by_folder <- classify_images(folder, progress = FALSE)
  expect_setequal(basename(by_folder$image), odd_names)
  expect_true(all(is.na(by_folder$error)))
  by_path <- classify_images(file.path(folder, odd_names), progress = FALSE)
  expect_identical(basename(by_path$image), odd_names)
  expect_true(all(is.na(by_path$error)))
  posts <- data.frame(id = sprintf("%02d", seq_along(odd_names)), photo = odd_names)
  out <- file.path(folder, "r\u00e9sultat.csv")
  by_column <- classify_images(posts, image_col = "photo", image_dir = folder, out = out, progress = FALSE)
  expect_identical(by_column$photo, odd_names)
  expect_true(all(is.na(by_column$error)))
  written <- utils::read.csv(out, colClasses = "character", encoding = "UTF-8")
  expect_identical(written$id, posts$id)
  expect_identical(written$photo, odd_names)
  for (name in odd_names) {
    expect_identical(classify_images(file.path(folder, name), progress = FALSE)$error, NA_character_)
  }
})

test_that("names marked as Latin-1 are found, and bytes that are no text are a row with an error", {
  skip_without_python()
  folder <- oddly_named("caf\u00e9.png")
  latin1 <- iconv("caf\u00e9.png", "UTF-8", "latin1")
  invalid <- rawToChar(as.raw(c(0xe9, 0x2e, 0x70, 0x6e, 0x67)))
  result <- classify_images(c(latin1, invalid), image_dir = folder, progress = FALSE)
  expect_identical(is.na(result$error), c(TRUE, FALSE))
  expect_identical(result$image, c("caf\u00e9.png", "\\xe9.png"))
})

test_that("a model in a folder with an odd name is a model", {
  skip_without_python()
  folder <- oddly_named("a.png")
  file <- file.path(folder, "mod\u00e8le.onnx")
  file.copy(load_model()$path, file)
  latin1 <- iconv("mod\u00e8le.onnx", "UTF-8", "latin1")
  withr::local_dir(folder)
  expect_identical(load_model(latin1)$sha256, load_model()$sha256)
  expect_identical(classify_images("a.png", model = latin1, progress = FALSE)$error, NA_character_)
})

# nolint start: object_usage_linter. They are in helper-*.R.
# Photographs with and without accents, classified in a new session with this locale.
in_locale <- function(locale) {
  folder <- oddly_named(c("caf\u00e9.png", "plain.png"))
  in_new_session(
    env = c(LC_ALL = locale, RETICULATE_PYTHON = reticulate::py_config()$python),
    folder = folder,
    function(folder) {
      folder <- rawToChar(charToRaw(folder)) # as list.files() and commandArgs() give it
      files <- list.files(folder, full.names = TRUE)
      result <- imagesasdata::classify_images(data.frame(photo = files), image_col = "photo", progress = FALSE)
      gone <- tryCatch(
        imagesasdata::classify_images(data.frame(photo = "a"), image_col = "caf\u00e9"),
        error = function(cnd) enc2utf8(conditionMessage(cnd))
      )
      list(codeset = l10n_info()$codeset, error = result$error, label = as.character(result$label), gone = gone)
    }
  )
}
# nolint end

test_that("a locale other than UTF-8 gives the same", {
  skip_without_python()
  skip_on_os("windows")
  skip_if_not_installed("callr")
  expected <- in_locale("C.UTF-8")
  expect_length(expected$error, 2)
  plain <- in_locale("C")
  expect_false(identical(plain$codeset, expected$codeset))
  expect_identical(plain[c("error", "label")], expected[c("error", "label")])
})
