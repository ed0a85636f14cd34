test_that("paths, folder and quality reach Python, and the caller's columns stay in R", {
  verb <- fake_verb(function(arguments) {
    table <- arguments$images
    table$written <- "clean/a.jpg"
    table$removed <- "EXIF"
    table$recompressed <- FALSE
    table$error <- NA_character_
    table
  })
  local_fake_python(strip_metadata = verb)
  posts <- data.frame(id = 1:2, photo = c("a.jpg", "b.jpg"), words = I(list("x", 1)))
  table <- strip_metadata(posts, "clean", image_col = "photo", quality = 90, progress = FALSE)
  sent <- verb$calls()[[1]]
  expect_identical(sent$quality, 90L)
  expect_identical(sent$out, "clean")
  expect_true(all(is.na(sent$images$words)))
  expect_identical(table$words, posts$words)
  expect_identical(table$removed, c("EXIF", "EXIF"))
  strip_metadata(posts["photo"], "clean", image_col = "photo", quality = "lossless", progress = FALSE)
  expect_identical(verb$calls()[[2]]$quality, "lossless")
})

test_that("copies are written beside the originals, one row each", {
  skip_without_python()
  posts <- drawn_posts()
  out <- withr::local_tempdir()
  before <- tools::md5sum(posts$photo[1:3])
  table <- strip_metadata(posts, out, image_col = "photo", progress = FALSE)
  expect_identical(table$post, posts$post)
  expect_identical(basename(table$written), c("a.png", "b.png", "c.png", NA, NA))
  expect_true(all(file.exists(table$written[1:3])))
  expect_identical(is.na(table$error), c(TRUE, TRUE, TRUE, FALSE, FALSE))
  expect_identical(tools::md5sum(posts$photo[1:3]), before)
  expect_error(
    strip_metadata(posts, out, image_col = "photo", progress = FALSE),
    class = "imagesasdata_argument_invalid"
  )
  expect_error(
    strip_metadata(posts$photo, dirname(posts$photo[1]), progress = FALSE, overwrite = TRUE),
    "over itself",
    class = "imagesasdata_argument_invalid"
  )
})
