test_that("videos reach Python as paths, with whole numbers", {
  verb <- fake_verb(function(arguments) {
    data.frame(image = "f/1.jpg", video = "a.mp4", frame = 1L, time = 0, video_error = NA_character_)
  })
  local_fake_python(sample_frames = verb)
  table <- sample_frames("a.mp4", "f", every = 5, progress = FALSE)
  expect_identical(names(table), c("image", "video", "frame", "time", "video_error"))
  films <- data.frame(id = 1:2, film = c("a.mp4", NA))
  sample_frames(films, "f", image_col = "film", progress = FALSE)
  sent <- verb$calls()
  expect_identical(sent[[1]]$videos, "a.mp4")
  expect_identical(sent[[1]]$max_frames, 10000L)
  expect_identical(sent[[2]]$videos$film, films$film)
  expect_true(all(is.na(sent[[2]]$videos$id)))
})

test_that("long tables keep the video and the time", {
  verb <- fake_verb(function(arguments) data.frame(image = "a.jpg", video = "a.mp4", time = 1.5, face = 1L))
  local_fake_python(detect_faces = verb)
  frames <- data.frame(image = "a.jpg", video = factor("a.mp4"), frame = 1L, time = 1.5)
  table <- detect_faces(frames, image_col = "image", progress = FALSE)
  expect_named(table, c("image", "video", "time", "face"))
  detect_faces(frames[c("image", "time")], image_col = "image", progress = FALSE)
  sent <- verb$calls()
  expect_identical(sent[[1]]$images[c("video", "time")], data.frame(video = "a.mp4", time = 1.5))
  expect_true(is.na(sent[[1]]$images$frame))
  expect_true(is.na(sent[[2]]$images$time))
})

test_that("what is no video is a row with the reason, and a missing library an error", {
  skip_without_python()
  film <- withr::local_tempfile(fileext = ".mp4")
  writeLines("not a video", film)
  out <- withr::local_tempfile()
  if (reticulate::py_module_available("av")) {
    table <- sample_frames(c(film, NA), out, progress = FALSE)
    expect_match(table$video_error[1], "^not a video: starts with 'not a video")
    expect_identical(table$video_error[2], "no path was given")
    expect_true(all(is.na(table$image)))
  } else {
    expect_error(sample_frames(film, out, progress = FALSE), class = "imagesasdata_dependency_missing")
  }
})
