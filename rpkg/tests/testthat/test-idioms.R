# What an R user expects of every verb, whatever it does.

# The verbs that work on data, and a call of each with a data frame and what else has to be given.
posts <- data.frame(
  photo = c("a.jpg", "b.jpg"),
  label = factor(c("protest", "other")),
  coder = c("Ann", "Ben"),
  prob = c(0.5, 0.75)
)
calls <- list(
  classify_images = quote(posts |> classify_images(image_col = "photo", progress = FALSE)),
  embed_images = quote(posts |> embed_images(image_col = "photo", progress = FALSE)),
  tag_images = quote(posts |> tag_images(image_col = "photo", progress = FALSE)),
  find_duplicates = quote(posts |> find_duplicates(image_col = "photo", progress = FALSE)),
  detect_faces = quote(posts |> detect_faces(image_col = "photo", progress = FALSE)),
  recognize_faces = quote(posts |> recognize_faces("people", image_col = "photo", progress = FALSE)),
  cluster_faces = quote(posts |> cluster_faces(image_col = "photo", progress = FALSE)),
  score_expressions = quote(posts |> score_expressions(image_col = "photo", progress = FALSE)),
  blur_faces = quote(posts |> blur_faces("copies", image_col = "photo", progress = FALSE)),
  enroll_people = quote(posts |> enroll_people(image_col = "photo", person_col = "label", progress = FALSE)),
  sample_images = quote(posts |> sample_images(1, image_col = "photo", progress = FALSE)),
  coder_agreement = quote(posts |> coder_agreement(image_col = "photo")),
  fine_tune = quote(posts |> fine_tune(image_col = "photo", out = "a.onnx", progress = FALSE)),
  cross_validate = quote(posts |> cross_validate(image_col = "photo", progress = FALSE)),
  learning_curve = quote(posts |> learning_curve(image_col = "photo", progress = FALSE)),
  evaluate_predictions = quote(posts |> evaluate_predictions("label", image_col = "photo")),
  merge_predictions = quote(posts["photo"] |> merge_predictions(posts[-3], by = "photo"))
)

# nolint start: object_usage_linter. They are in helper-*.R.
# Every verb in Python's place remembers what it got; none answers.
local_listening_python <- function(frame = parent.frame()) {
  silence <- function(arguments) rlang::abort("silence", class = "silence")
  listening <- lapply(calls, function(call) fake_verb(silence))
  do.call(local_fake_python, c(listening, list(frame = frame)))
  listening
}
# nolint end

test_that("verbs take a data frame first and pipe, and send no NULL", {
  listening <- local_listening_python()
  for (verb in names(calls)) {
    expect_error(eval(calls[[verb]]), class = "silence", label = verb)
    sent <- listening[[verb]]$calls()[[1]]
    first <- names(formals(get(verb)))[[1]]
    expect_s3_class(sent[[first]], "data.frame")
    expect_identical(nrow(sent[[first]]), 2L, label = verb)
    expect_false(any(vapply(sent, is.null, TRUE)), label = verb)
  }
})

test_that("whole numbers reach Python as integers from every verb", {
  listening <- local_listening_python()
  fractions <- c("threshold", "correlation", "conf_level", "false_match_rate", "min_prob", "margin")
  for (verb in names(calls)) {
    try(eval(calls[[verb]]), silent = TRUE)
    sent <- listening[[verb]]$calls()[[1]]
    numbers <- names(Filter(is.numeric, formals(get(verb))))
    for (name in setdiff(numbers, fractions)) {
      expect_type(sent[[name]], "integer")
    }
  }
})

test_that("one verb after the other in a pipe", {
  classify <- fake_classify()
  merge <- fake_verb(function(arguments) {
    structure(cbind(arguments$data, any_protest = FALSE), provenance = '{"verb": "merge_predictions"}')
  })
  local_fake_python(classify_images = classify, merge_predictions = merge)
  merged <- posts["photo"] |>
    classify_images(image_col = "photo", progress = FALSE) |>
    subset(!is.na(label), select = c(photo, label)) |>
    merge_predictions(data = posts["photo"], by = "photo", how = "any")
  expect_identical(merged$photo, posts$photo)
  expect_identical(as.character(merge$calls()[[1]]$predictions$label), c("other", "other"))
})

test_that("no rows, one row and failures only are tables like any other", {
  local_fake_python(classify_images = fake_classify())
  for (rows in list(0, 1)) {
    result <- classify_images(posts[seq_len(rows), "photo", drop = FALSE], image_col = "photo", progress = FALSE)
    expect_identical(nrow(result), as.integer(rows))
    expect_named(result, c("photo", "label", "prob", "error"))
  }
  failed <- classify_images(data.frame(id = c("01", "02"), photo = NA), image_col = "photo", progress = FALSE)
  expect_identical(failed$id, c("01", "02"))
  expect_identical(failed$label, factor(c(NA, NA), levels = c("protest", "other")))
  expect_true(all(is.na(failed$prob)))
  expect_identical(failed$error, rep("no path was given", 2))
})

test_that("a big table comes back whole, with its identifiers", {
  local_fake_python(classify_images = fake_classify())
  rows <- 2e5
  big <- data.frame(id = sprintf("%09d", seq_len(rows)), photo = sprintf("%d.jpg", seq_len(rows)))
  big$photo[c(1, rows)] <- NA
  result <- classify_images(big, image_col = "photo", progress = FALSE)
  expect_identical(result$id, big$id)
  expect_identical(which(is.na(result$label)), c(1L, as.integer(rows)))
  expect_identical(levels(result$label), c("protest", "other"))
})

test_that("warnings that are errors change nothing where there is nothing to warn of", {
  withr::local_options(warn = 2)
  local_fake_python(
    classify_images = fake_classify(),
    list_models = fake_verb(function(arguments) {
      structure(data.frame(a = 1), provenance = '{"notes": ["something"]}')
    })
  )
  expect_identical(nrow(classify_images(posts["photo"], image_col = "photo", progress = FALSE)), 2L)
  expect_error(list_models(), "something")
})
