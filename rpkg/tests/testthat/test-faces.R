# What the verbs for faces send to Python, and what comes back.

descriptors <- data.frame(person = c("Ann", "Ben"), descriptor_1 = c(0.5, NA))
photos <- data.frame(photo = c("a.jpg", NA))

test_that("people and known go as tables, folders and names as text", {
  verb <- fake_verb(function(arguments) data.frame(image = "a.jpg", face = 1L))
  local_fake_python(recognize_faces = verb, enroll_people = verb, blur_faces = verb)
  recognize_faces(photos, descriptors, image_col = "photo", purpose = "A test.", progress = FALSE)
  recognize_faces("photos", "people", progress = FALSE)
  enroll_people(descriptors, progress = FALSE)
  blur_faces("photos", "out", people = c("Ann", "Ben"), known = descriptors, quality = 90, progress = FALSE)
  blur_faces("photos", "out", quality = "lossless", progress = FALSE)
  sent <- verb$calls()
  expect_identical(sent[[1]]$people$person, descriptors$person)
  expect_identical(sent[[1]]$images$photo, photos$photo)
  expect_identical(sent[[1]]$purpose, "A test.")
  expect_identical(sent[[2]][c("images", "people")], list(images = "photos", people = "people"))
  expect_null(sent[[2]]$purpose)
  expect_identical(sent[[3]]$people$descriptor_1, descriptors$descriptor_1)
  expect_identical(sent[[4]]$known$person, descriptors$person)
  expect_identical(sent[[4]]$people, c("Ann", "Ben"))
  expect_identical(sent[[4]]$quality, 90L)
  expect_identical(sent[[5]]$quality, "lossless")
  expect_false("known" %in% names(sent[[5]]))
})

test_that("pairs go as lists, and a missing path is no text", {
  verb <- fake_verb(function(arguments) data.frame(image_a = "a.jpg", image_b = "b.jpg"))
  local_fake_python(verify_faces = verb)
  verify_faces(factor("a.jpg"), NA, progress = FALSE)
  expect_identical(verb$calls()[[1]][c("a", "b")], list(a = list("a.jpg"), b = list(NULL)))
})

test_that("expressions join the caller's data by image, and are long by face", {
  by_image <- fake_verb(function(arguments) data.frame(photo = NA, likes = NA, faces = c(1L, NA)))
  local_fake_python(score_expressions = by_image)
  data <- data.frame(photo = c("a.jpg", "b.jpg"), likes = c(2^60, NA))
  joined <- score_expressions(data, by = "image", image_col = "photo", progress = FALSE)
  expect_identical(as.data.frame(joined), cbind(data, faces = c(1L, NA)), ignore_attr = TRUE)
  long <- score_expressions(data, image_col = "photo", progress = FALSE)
  expect_named(long, c("photo", "likes", "faces"))
})

test_that("photographs without faces keep their rows in every verb", {
  skip_without_python()
  posts <- drawn_posts()
  faces <- detect_faces(posts, image_col = "photo", progress = FALSE)
  expect_identical(faces$image, posts$photo)
  expect_true(all(is.na(faces$face)))
  expect_match(faces$error[[4]], "not an image")
  scored <- score_expressions(posts, by = "image", image_col = "photo", progress = FALSE)
  expect_identical(as.data.frame(scored[1:3]), posts, ignore_attr = TRUE)
  expect_identical(scored$faces, c(0L, 0L, 0L, NA, NA))
  log <- blur_faces(posts, withr::local_tempdir(), image_col = "photo", progress = FALSE)
  expect_identical(file.exists(log$copy[1:3]), rep(TRUE, 3))
  expect_identical(is.na(log$copy), c(FALSE, FALSE, FALSE, TRUE, TRUE))
})

test_that("recognition without a purpose, and references without a face, are conditions", {
  skip_without_python()
  posts <- drawn_posts()
  iad <- reticulate::import("imagesasdata.faces.purpose", convert = FALSE)
  iad[["_said"]]$clear()
  expect_error(cluster_faces(posts$photo, progress = FALSE), class = "imagesasdata_purpose_missing")
  people <- data.frame(image = posts$photo[1:2], person = c("Ann", "Ben"))
  expect_error(
    recognize_faces(posts$photo, people, purpose = "A test.", progress = FALSE),
    class = "imagesasdata_people_invalid"
  )
  expect_identical(cluster_faces(posts$photo, progress = FALSE)$cluster, rep(NA_integer_, 5))
  expect_match(verify_faces(posts$photo[1:2], posts$photo[c(1, 4)], progress = FALSE)$error, "^a: no face was found")
})
