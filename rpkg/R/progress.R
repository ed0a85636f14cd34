# How far a long run is. Python calls an R function on the main thread; no other thread may call R.

# What `progress` becomes on its way to Python: `report` is sent, `close` ends the bar, and `raised` has the error that
# the user's own function raised, of which Python would keep the text only.
progress_for_python <- function(progress) {
  bar <- list(report = progress, close = function() NULL, raised = function() NULL)
  if (isTRUE(progress) && isTRUE(getOption("knitr.in.progress"))) {
    bar$report <- FALSE # an article keeps every step of a bar
  } else if (isTRUE(progress)) {
    bar <- progress_bar()
  }
  if (!is.function(bar$report)) {
    return(bar)
  }
  report <- bar$report
  raised <- NULL
  bar$report <- function(done, total, text) {
    tryCatch(
      report(from_python(done), from_python(total), from_python(text)),
      error = function(cnd) {
        raised <<- cnd
        stop(cnd)
      }
    )
    invisible(NULL)
  }
  bar$raised <- function() raised
  bar
}

# A run may have stages, such as embedding and then cross-validation, each with a text and a total of its own.
progress_bar <- function() {
  id <- NULL
  stage <- NULL
  shown <- NULL # the tenth that a log has seen
  result <- "failed" # until all is done: an interrupted bar stays where it is
  frame <- environment()
  report <- function(done, total, text) {
    if (!identical(text, stage)) {
      close()
      id <<- NULL
      shown <<- NULL
      stage <<- text
    }
    if (is.null(id)) {
      id <<- cli::cli_progress_bar(
        name = text,
        format = "{cli::pb_name}{cli::pb_bar} {cli::pb_current}/{cli::pb_total}, ETA {cli::pb_eta}",
        total = total,
        clear = FALSE,
        .auto_close = FALSE,
        .envir = frame
      )
    }
    result <<- if (done == total) "done" else "failed"
    # In a log every step would be a line of its own: there it is one for each tenth.
    tenth <- if (total > 0) (10 * done) %/% total else 10
    if (!cli::is_dynamic_tty() && identical(tenth, shown)) {
      return()
    }
    shown <<- tenth
    # cli draws when R's event loop has set its timer, which does not happen while Python runs: hence `force`.
    cli::cli_progress_update(set = done, id = id, force = TRUE, .envir = frame)
  }
  close <- function() {
    if (!is.null(id)) {
      cli::cli_progress_done(id = id, result = result, .envir = frame)
    }
  }
  list(report = report, close = close, raised = function() NULL)
}
