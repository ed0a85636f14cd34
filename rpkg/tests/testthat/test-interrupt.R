# Ctrl-C in another R process, at moments that nobody chose.

# nolint start: object_usage_linter. They are in helper-*.R.
# Runs `code` there, interrupts it after some seconds of work and once `ready()` says so, and returns what came of it,
# and how many seconds the end took.
interrupted <- function(code, ..., ready = function() TRUE) {
  skip_without_python()
  skip_on_os("windows")
  skip_if_not_installed("callr")
  started <- withr::local_tempfile()
  watched <- function(code, started, arguments) {
    # Set before the work begins, since the first call also loads Python and the network.
    imagesasdata::list_models()
    file.create(started)
    warned <- NULL
    value <- withCallingHandlers(
      tryCatch(do.call(code, arguments), interrupt = function(cnd) "interrupt"),
      imagesasdata_warning = function(cnd) {
        warned <<- c(warned, conditionMessage(cnd))
        tryInvokeRestart("muffleWarning")
      }
    )
    list(value = value, warned = warned, ended = Sys.time())
  }
  env <- c(callr::rcmd_safe_env(), RETICULATE_PYTHON = reticulate::py_config()$python)
  run <- callr::r_bg(watched, list(code, started, list(...)), env = env)
  withr::defer(run$kill())
  while (!file.exists(started) && run$is_alive()) {
    Sys.sleep(0.1)
  }
  Sys.sleep(8)
  while (!ready() && run$is_alive()) {
    Sys.sleep(0.1)
  }
  asked <- Sys.time()
  run$interrupt()
  run$wait(30000)
  if (run$is_alive()) {
    return(list(value = "still running", seconds = Inf))
  }
  result <- run$get_result()
  c(result[c("value", "warned")], seconds = as.numeric(difftime(result$ended, asked, units = "secs")))
}
# nolint end

# More photographs than any machine does while this test waits; `cache = FALSE`, since the second would be known.
many <- 1e5
# It is about a second; this leaves room for a machine that is busy with something else.
soon <- 5

test_that("with a bar, the rows that are done come back with a warning", {
  seen <- interrupted(photo = drawn_posts()$photo[[1]], many = many, function(photo, many) {
    posts <- data.frame(id = sprintf("%07d", seq_len(many)), photo = photo)
    table <- imagesasdata::classify_images(posts, image_col = "photo", cache = FALSE)
    list(rows = nrow(table), id = utils::tail(table$id, 1), labels = anyNA(table$label), columns = names(table))
  })
  expect_lt(seen$seconds, soon)
  expect_match(seen$warned, "are done and returned")
  expect_gt(seen$value$rows, 0)
  expect_lt(seen$value$rows, many)
  expect_identical(seen$value$id, sprintf("%07d", seen$value$rows))
  expect_false(seen$value$labels)
  expect_identical(seen$value$columns, c("id", "photo", "label", "prob", "error"))
})

test_that("an interrupt while the bar is drawn loses nothing either", {
  skip_without_python()
  photo <- drawn_posts()$photo[[1]]
  stop_it <- function(done, total, text) if (done >= 3) rlang::interrupt()
  expect_warning(
    table <- classify_images(rep(photo, 50), batch_size = 1, cache = FALSE, progress = stop_it),
    "are done and returned",
    class = "imagesasdata_warning"
  )
  expect_gte(nrow(table), 3)
  expect_lt(nrow(table), 50)
  expect_false(anyNA(table$label))
})

test_that("embeddings and tags come back too", {
  for (verb in c("embed_images", "tag_images")) {
    seen <- interrupted(verb = verb, photo = drawn_posts()$photo[[1]], many = many, function(verb, photo, many) {
      nrow(getExportedValue("imagesasdata", verb)(rep(photo, many), progress = FALSE, cache = FALSE))
    })
    expect_lt(seen$seconds, soon)
    expect_match(seen$warned, "are done and returned", label = verb)
    expect_gt(seen$value, 0)
  }
})

test_that("a run with out says how to go on, and the same call does", {
  out <- file.path(withr::local_tempdir(), "labels.parquet")
  photo <- drawn_posts()$photo[[1]]
  part_done <- function() length(Sys.glob(paste0(out, ".run/*.done"))) > 0
  # Parts have 1,000 photographs.
  seen <- interrupted(photo = photo, out = out, many = many, ready = part_done, function(photo, out, many) {
    nrow(imagesasdata::classify_images(rep(photo, many), out = out, progress = FALSE, cache = FALSE))
  })
  expect_lt(seen$seconds, soon)
  expect_match(seen$warned, "the same command again goes on in")
  expect_gt(seen$value, 0)
  expect_identical(seen$value %% 1000, 0)
})

test_that("training ends too", {
  seen <- interrupted(photos = labelled_photos(each = 60), function(photos) {
    imagesasdata::learning_curve(photos, repeats = 5000, progress = FALSE)
  })
  expect_lt(seen$seconds, soon)
  expect_identical(seen$value, "interrupt")
})
