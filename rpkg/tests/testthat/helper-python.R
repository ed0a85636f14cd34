# For the tests with the real Python package. CI sets IMAGESASDATA_TEST_PYTHON=true, so that its absence is a failure.

skip_without_python <- function() {
  if (python_ready()) {
    return(invisible())
  }
  if (identical(Sys.getenv("IMAGESASDATA_TEST_PYTHON"), "true")) {
    stop("IMAGESASDATA_TEST_PYTHON is true, and the Python package cannot be used.")
  }
  testthat::skip("the Python package imagesasdata is not there")
}

# Three pictures, a file that is none, and a missing path.
drawn_posts <- function(frame = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = frame)
  photos <- file.path(folder, c("a.png", "b.png", "c.png", "broken.jpg"))
  for (i in 1:3) {
    grDevices::png(photos[[i]], width = 200 + 40 * i, height = 200)
    graphics::par(mar = rep(0, 4))
    graphics::image(datasets::volcano, col = grDevices::hcl.colors(12, c("viridis", "inferno", "grays")[[i]]))
    grDevices::dev.off()
  }
  writeLines("not a photograph", photos[[4]])
  data.frame(post = letters[1:5], photo = c(photos, NA), likes = c(3, NA, 2^60, 0, 1))
}

# Pictures of two kinds, each in a folder of its class: what a network tells apart at once.
labelled_photos <- function(each = 10, frame = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = frame)
  photos <- data.frame(label = rep(c("blobs", "stripes"), each = each), number = rep(seq_len(each), 2))
  photos$image <- file.path(folder, photos$label, sprintf("%d.png", photos$number))
  for (class in unique(photos$label)) {
    dir.create(file.path(folder, class))
  }
  withr::local_seed(1)
  for (i in seq_len(nrow(photos))) {
    grDevices::png(photos$image[[i]], width = 160, height = 120)
    graphics::par(mar = rep(0, 4))
    colours <- grDevices::hcl.colors(12, sample(grDevices::hcl.pals("sequential"), 1))
    if (photos$label[[i]] == "stripes") {
      fields <- outer(seq_len(24), seq_len(12), function(x, y) (x * stats::runif(1) + y) %/% 2 %% 2)
      graphics::image(fields + stats::runif(288) / 2, col = colours)
    } else {
      x <- stats::runif(15)
      graphics::plot(x, stats::runif(15), cex = stats::runif(15, 3, 9), pch = 19, col = colours, axes = FALSE)
    }
    grDevices::dev.off()
  }
  photos[c("image", "label")]
}

# A fresh R process, for what happens once in a session. The package has to be installed for it.
in_new_session <- function(code, ..., env = character()) {
  testthat::skip_if_not_installed("callr")
  installed <- callr::r(function() requireNamespace("imagesasdata", quietly = TRUE))
  testthat::skip_if_not(installed, "the package is loaded from its sources, not installed")
  callr::r(code, list(...), env = c(callr::rcmd_safe_env(), env))
}

# The environment of a session in which nobody has chosen a Python.
no_python <- c(
  RETICULATE_PYTHON = NA,
  RETICULATE_USE_MANAGED_VENV = "no",
  WORKON_HOME = tempdir(),
  VIRTUAL_ENV = NA,
  RETICULATE_PYTHON_ENV = NA
)
