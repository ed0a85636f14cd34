test_that("a model is plain R: a name, a path, a fingerprint and a card", {
  card <- list(to_json = function() as.character(jsonlite::toJSON(fake_card(), auto_unbox = TRUE)))
  loaded <- list(path = "/models/fake.onnx", sha256 = strrep("0123456789abcdef", 4), card = card)
  local_fake_python(load_model = function(model) loaded)
  model <- load_model("fake")
  expect_equal(model, fake_model())
  expect_identical(load_model(model), model)
  expect_equal(unserialize(serialize(model, NULL)), model)
})

test_that("a model prints what it is", {
  expect_snapshot(print(fake_model()))
  expect_snapshot(print(fake_model("score", sprintf("score%d", 1:2000))))
})

test_that("a card prints as it reads", {
  local_fake_python(model_card = function(model) sprintf("# card of %s\n\nIt is {no} %%s.", model))
  card <- model_card(fake_model())
  expect_identical(format(card), c("# card of /models/fake.onnx", "", "It is {no} %s."))
  expect_output(print(card), "# card of /models/fake.onnx\n\nIt is {no} %s.", fixed = TRUE)
})

test_that("lists of numbers and classes are lists for Python, and a model is its path", {
  got <- NULL
  gone <- NULL
  local_fake_python(
    add_model = function(...) {
      got <<- list(...)
      "/cache/fake.onnx"
    },
    remove_model = function(name) gone <<- name
  )
  path <- add_model(fake_model(), classes = c("no", "yes"), size = 224, mean = 0.5, std = 0.25)
  expect_identical(path, "/cache/fake.onnx")
  expect_identical(
    got[c("path", "classes", "size", "mean", "std")],
    list(path = "/models/fake.onnx", classes = list("no", "yes"), size = 224L, mean = list(0.5), std = list(0.25))
  )
  add_model("a.onnx", classes = "classes.txt")
  expect_identical(got$classes, "classes.txt")
  expect_identical(withVisible(remove_model("fake")), list(value = NULL, visible = FALSE))
  expect_identical(gone, "fake")
})
