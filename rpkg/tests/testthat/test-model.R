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
  local_fake_python(model_card = function(model) paste("# card of", model))
  expect_output(print(model_card(fake_model())), "# card of /models/fake.onnx", fixed = TRUE)
})
