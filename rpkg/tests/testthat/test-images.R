posts <- data.frame(post = 1:3, photo = c("a.jpg", NA, "c.jpg"), when = as.Date("2020-06-01") + 0:2)

test_that("of a data frame Python gets the paths, and only the names of the rest", {
  verb <- fake_classify()
  local_fake_python(classify_images = verb)
  classify_images(posts, image_col = "photo", progress = FALSE)
  sent <- verb$calls()[[1]]$images
  expect_named(sent, names(posts))
  expect_identical(sent$photo, posts$photo)
  expect_true(all(is.na(sent[c("post", "when")])))
})

test_that("the data frame comes back as it was, with the predictions beside it", {
  local_fake_python(classify_images = fake_classify())
  result <- classify_images(posts, image_col = "photo", progress = FALSE)
  expect_named(result, c(names(posts), "label", "prob", "error"))
  expect_identical(as.list(result)[1:3], as.list(posts))
  expect_identical(is.na(result$label), c(FALSE, TRUE, FALSE))
  expect_identical(levels(result$label), c("protest", "other"))
  expect_identical(attr(result, "imagesasdata"), list(model = "fake", device = "cpu"))
})

test_that("columns that Arrow does not know, and doubled names, stay in R", {
  local_fake_python(classify_images = fake_classify())
  odd <- posts
  odd$words <- list("a", 1:2, NULL)
  names(odd)[[3]] <- "post"
  result <- classify_images(odd, image_col = "photo", progress = FALSE)
  expect_identical(as.list(result)[1:4], as.list(odd))
})

test_that("a plain data frame becomes a tibble and another class stays", {
  skip_if_not_installed("tibble")
  local_fake_python(classify_images = fake_classify())
  expect_s3_class(classify_images(posts, image_col = "photo", progress = FALSE), "tbl_df")
  special <- structure(posts, class = c("special", "data.frame"))
  expect_s3_class(classify_images(special, image_col = "photo", progress = FALSE), class(special), exact = TRUE)
})

test_that("factors of paths and columns without any path can be sent", {
  local_fake_python(classify_images = fake_classify())
  data <- data.frame(photo = factor(c("a.jpg", NA)), nothing = NA)
  expect_identical(is.na(classify_images(data, image_col = "photo", progress = FALSE)$label), c(FALSE, TRUE))
  expect_true(all(is.na(classify_images(data, image_col = "nothing", progress = FALSE)$label)))
})

test_that("a path is sent as text, and several or none as a table", {
  verb <- fake_verb(function(arguments) data.frame(image = character()))
  local_fake_python(embed_images = verb)
  embed_images("photos", progress = FALSE)
  embed_images(c("a.jpg", NA), progress = FALSE)
  embed_images(NA, progress = FALSE)
  embed_images(character(), progress = FALSE)
  sent <- lapply(verb$calls(), `[[`, "images")
  expect_identical(sent[[1]], "photos")
  expect_identical(sent[[2]], data.frame(image = c("a.jpg", NA)))
  expect_identical(sent[[3]], data.frame(image = NA_character_))
  expect_identical(nrow(sent[[4]]), 0L)
})

test_that("a long table does not join the data", {
  verb <- fake_verb(function(arguments) data.frame(image = c("a.jpg", "a.jpg"), rank = 1:2))
  local_fake_python(tag_images = verb)
  expect_named(tag_images(posts, image_col = "photo", progress = FALSE), c("image", "rank"))
})

test_that("what is neither path nor data frame is an error before any run", {
  local_fake_python(classify_images = fake_classify())
  expect_snapshot(error = TRUE, classify_images(1:3))
  expect_snapshot(error = TRUE, classify_images(posts, image_col = "post"))
})

test_that("a column that is not there is not an empty list of images", {
  verb <- fake_classify()
  local_fake_python(classify_images = verb)
  data <- data.frame(photo = "a.jpg")
  expect_error(classify_images(data$typo), class = "imagesasdata_argument_invalid")
})

test_that("a factor of paths is a vector of paths", {
  verb <- fake_classify()
  local_fake_python(classify_images = verb)
  result <- classify_images(factor(c("a.jpg", "b.jpg")))
  expect_identical(result$image, c("a.jpg", "b.jpg"))
})
