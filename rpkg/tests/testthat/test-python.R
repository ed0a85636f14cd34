# What happens once in a session needs a fresh R session, in which Python has not started.

# What reticulate says about a Python.
a_config <- function(...) {
  config <- list(
    python = "/env/bin/python",
    version = numeric_version("3.11"),
    version_string = "3.11.7 (main)",
    forced = "RETICULATE_PYTHON",
    required_module_path = NULL
  )
  new <- list(...)
  for (name in names(new)) {
    config[[name]] <- new[[name]]
  }
  config
}

local_no_environment <- function(frame = parent.frame()) {
  withr::local_envvar(WORKON_HOME = withr::local_tempdir(.local_envir = frame), .local_envir = frame)
  withr::local_options(imagesasdata.source = NULL, .local_envir = frame)
}

# nolint start: object_usage_linter. They are in helper-*.R and testthat.
# A Python that runs and has nothing, or a package of the same name with another version.
other_python <- function(version = NULL, frame = parent.frame()) {
  skip_without_python()
  folder <- file.path(withr::local_tempdir(.local_envir = frame), "empty")
  status <- system2(reticulate::py_config()$python, c("-m", "venv", "--without-pip", shQuote(folder)))
  expect_identical(status, 0L)
  if (!is.null(version)) {
    site <- Sys.glob(file.path(folder, c("lib/python*/site-packages", "Lib/site-packages")))
    dir.create(file.path(site, "imagesasdata"))
    writeLines(sprintf("__version__ = '%s'", version), file.path(site, "imagesasdata", "__init__.py"))
  }
  reticulate::virtualenv_python(folder)
}
# nolint end

# With no environment of its own, which would load the package in the new session before the test does.
caught <- function() tryCatch(imagesasdata::list_models(), error = function(cnd) cnd)
environment(caught) <- globalenv()

test_that("attaching the package is silent and starts nothing, with no Python on the machine", {
  seen <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    messages <- utils::capture.output(type = "message", output <- utils::capture.output(library(imagesasdata)))
    list(output = c(messages, output), started = reticulate::py_available())
  })
  expect_identical(seen$output, character())
  expect_false(seen$started)
})

test_that("attaching it asks nothing in an interactive session either, and raises no warning", {
  in_new_session(function() NULL) # skips where the package is not installed
  script <- withr::local_tempfile(
    fileext = ".R",
    lines = c(
      "options(warn = 2, imagesasdata.source = \"/no/such/folder\")",
      "stopifnot(interactive())",
      "library(imagesasdata)",
      "stopifnot(!reticulate::py_available())",
      "cat(\"done\")"
    )
  )
  withr::local_envvar(no_python)
  typed <- sprintf("source(%s)", encodeString(script, quote = "\""))
  seen <- system2(
    file.path(R.home("bin"), "R"),
    c("--vanilla", "--no-echo", "--interactive"),
    input = typed,
    stdout = TRUE,
    stderr = TRUE
  )
  expect_identical(setdiff(as.character(seen), typed), "done")
})

test_that("nothing is written but into the user's cache folder", {
  skip_without_python()
  home <- withr::local_tempdir()
  photo <- drawn_posts()$photo[[1]]
  keep <- c(
    "IMAGESASDATA_CACHE",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "R_USER_CACHE_DIR",
    "R_USER_DATA_DIR",
    "R_USER_CONFIG_DIR"
  )
  env <- c(HOME = home, stats::setNames(rep(NA_character_, length(keep)), keep))
  rows <- in_new_session(env = env, photo, code = function(photo) {
    setwd(Sys.getenv("HOME"))
    library(imagesasdata)
    rows <- nrow(classify_images(photo, progress = FALSE))
    iad_doctor()
    rows
  })
  expect_identical(rows, 1L)
  written <- list.files(home, all.files = TRUE, recursive = TRUE)
  expect_match(written, "^(\\.cache|Library/Caches|AppData/Local)/")
})

test_that("the first verb says how to get a Python", {
  cnd <- in_new_session(env = no_python, function() {
    Sys.setenv(PATH = "")
    tryCatch(imagesasdata::classify_images("a.jpg"), error = function(cnd) cnd)
  })
  expect_s3_class(cnd, c("imagesasdata_python_missing", "imagesasdata_error"))
  expect_identical(cnd$cure, "`install_imagesasdata(source = \"path/to/imagesasdata\")`")
  expect_match(conditionMessage(cnd), cnd$cure, fixed = TRUE)
})

test_that("reticulate makes no environment while nothing says what to install", {
  skip_on_os("windows")
  managed <- replace(no_python, "RETICULATE_USE_MANAGED_VENV", NA)
  seen <- in_new_session(env = managed, caught, code = function(caught) {
    # reticulate would run this one, which leaves a trace
    trace <- tempfile()
    uv <- tempfile()
    writeLines(c("#!/bin/sh", sprintf("echo ran >> '%s'", trace), "echo uv 9.9.9"), uv)
    Sys.chmod(uv, "755")
    Sys.setenv(RETICULATE_UV = uv)
    list(cnd = caught(), traced = file.exists(trace))
  })
  expect_s3_class(seen$cnd, "imagesasdata_python_missing")
  expect_false(seen$traced)
})

test_that("a source that does not exist is named before anything is downloaded", {
  cnd <- in_new_session(env = no_python, caught, code = function(caught) {
    Sys.setenv(PATH = "")
    options(imagesasdata.source = "/no/such/folder")
    caught()
  })
  expect_s3_class(cnd, "imagesasdata_source_missing")
  expect_match(conditionMessage(cnd), "/no/such/folder", fixed = TRUE)
})

test_that("a RETICULATE_PYTHON that does not exist is named", {
  cnd <- in_new_session(env = c(RETICULATE_PYTHON = "/no/such/python"), caught)
  expect_s3_class(cnd, "imagesasdata_python_missing")
  expect_match(conditionMessage(cnd), "/no/such/python", fixed = TRUE)
  expect_match(cnd$cure, "Sys.setenv(RETICULATE_PYTHON = ", fixed = TRUE)
})

test_that("a Python without the package is named and not started, so that another can be chosen at once", {
  python <- other_python()
  seen <- in_new_session(
    env = c(RETICULATE_PYTHON = python),
    caught,
    reticulate::py_config()$python,
    code = function(caught, good) {
      cnd <- caught()
      started <- reticulate::py_available()
      Sys.setenv(RETICULATE_PYTHON = good)
      list(cnd = cnd, started = started, models = caught())
    }
  )
  expect_s3_class(seen$cnd, c("imagesasdata_package_missing", "imagesasdata_error"))
  expect_match(conditionMessage(seen$cnd), paste0(python, ", chosen by RETICULATE_PYTHON"), fixed = TRUE)
  expect_false(seen$started)
  expect_s3_class(seen$models, "data.frame")
})

test_that("a Python that was started first and lacks the package is named, and attaching stays silent", {
  python <- other_python()
  seen <- in_new_session(env = no_python, python, caught, code = function(python, caught) {
    reticulate::use_python(python)
    reticulate::py_run_string("1")
    messages <- utils::capture.output(type = "message", output <- utils::capture.output(library(imagesasdata)))
    list(cnd = caught(), output = c(messages, output), rows = iad_doctor())
  })
  expect_identical(seen$output, character())
  expect_s3_class(seen$cnd, c("imagesasdata_other_python", "imagesasdata_package_missing", "imagesasdata_error"))
  expect_match(conditionMessage(seen$cnd), paste0(python, ", chosen by use_python()"), fixed = TRUE)
  last <- seen$rows[nrow(seen$rows), ]
  expect_identical(last$status, "problem")
  expect_identical(last$advice, seen$cnd$cure)
})

test_that("a Python package of another version is an error that names both", {
  python <- other_python(version = "99.0.0")
  cnd <- in_new_session(env = c(RETICULATE_PYTHON = python), caught)
  expect_s3_class(cnd, c("imagesasdata_version_mismatch", "imagesasdata_error"))
  expect_match(conditionMessage(cnd), "99.0.0", fixed = TRUE)
  expect_match(conditionMessage(cnd), as.character(utils::packageVersion("imagesasdata")), fixed = TRUE)
  expect_match(cnd$cure, paste0(shQuote(python), " -m pip install --upgrade"), fixed = TRUE)
})

test_that("what the DESCRIPTION asks for is what is checked", {
  imports <- utils::packageDescription("imagesasdata")$Imports
  expect_match(imports, sprintf("reticulate (>= %s)", reticulate_needed), fixed = TRUE)
  expect_match(imports, sprintf("nanoarrow (>= %s)", nanoarrow_needed), fixed = TRUE)
})

test_that("each error says the problem, what was found, and one command", {
  local_no_environment()
  own <- "/envs/r-imagesasdata/bin/python"
  expect_snapshot(error = TRUE, {
    abort_nothing_chosen(NULL)
    abort_python_missing("Python shared library not found.\n\n  See its pages.", NULL)
    check_found(a_config(version = numeric_version("3.9"), version_string = "3.9.18"), NULL)
    check_found(a_config(), NULL)
    check_found(a_config(python = own, forced = "import(\"imagesasdata\")"), NULL)
    abort_package_missing(a_config(forced = "use_python() function"), running = TRUE, NULL)
    abort_package_missing(a_config(ephemeral = TRUE), running = TRUE, NULL)
    check_reticulate(numeric_version("1.28"), NULL)
    check_source_exists("/no/such/folder", NULL)
  })
})

test_that("a command takes the source that was set, and the environment that is there", {
  local_no_environment()
  withr::local_options(imagesasdata.source = "git+https://example.org/imagesasdata")
  expect_identical(use_command(), "Sys.setenv(RETICULATE_PYTHON = install_imagesasdata())")
  expect_match(update_words(a_config()), "'imagesasdata @ git+https://example.org/imagesasdata'", fixed = TRUE)
  own <- a_config(python = "/envs/r-imagesasdata/bin/python")
  expect_match(update_words(own), "`install_imagesasdata()`", fixed = TRUE)
  expect_match(update_words(a_config(ephemeral = TRUE)), "options(imagesasdata.source = ", fixed = TRUE)
  folder <- if (.Platform$OS.type == "windows") "Scripts" else "bin"
  bin <- file.path(Sys.getenv("WORKON_HOME"), "r-imagesasdata", folder)
  dir.create(bin, recursive = TRUE)
  file.create(file.path(bin, c("python", "activate_this.py", "activate", "pip")))
  file.create(file.path(dirname(bin), "pyvenv.cfg"))
  expect_match(use_command(), "r-imagesasdata/(bin|Scripts)/python")
})

test_that("a Python that is good enough passes", {
  expect_silent(check_found(a_config(required_module_path = "/env/imagesasdata"), NULL))
  expect_silent(check_found(a_config(forced = "the current process"), NULL))
  expect_silent(check_reticulate(numeric_version(reticulate_needed), NULL))
})

test_that("why a Python was chosen is said in words", {
  expect_identical(chosen_by(a_config(forced = "use_python() function")), "use_python()")
  expect_identical(chosen_by(a_config(forced = "import(\"imagesasdata\")")), "its name, \"env\"")
  expect_identical(chosen_by(a_config(forced = NULL)), "its name, \"env\"")
  expect_match(chosen_by(a_config(ephemeral = TRUE)), "managed")
})

test_that("examples do not run where nobody has chosen a Python", {
  expect_false(in_new_session(env = no_python, function() imagesasdata:::python_ready()))
})

test_that("versions must agree in the first two numbers", {
  own <- series(utils::packageVersion("imagesasdata"))
  expect_identical(series("0.12.3.dev1"), "0.12")
  expect_silent(check_version(paste0(own, ".99"), NULL))
})
