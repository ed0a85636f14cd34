# The cache of embeddings, which Python keeps.

#' What is in the cache of embeddings
#'
#' Embeddings of the photographs that were classified or embedded are kept in the user's cache folder, by the content
#' of the file, so that the next run over the same photographs decodes nothing. The photographs themselves are not
#' kept. The environment variable `IMAGESASDATA_CACHE_GB` limits the size (5 gigabytes where it is not set); what was
#' used least recently goes first. `IMAGESASDATA_CACHE` moves the folder.
#'
#' @returns `cache_info()`: a tibble, or a data frame where tibble is not installed, with one row: `folder`, `files`,
#'   `images` (embeddings) and `megabytes`. `clear_cache()` deletes the embeddings and returns nothing.
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' cache_info()
#' \dontrun{
#' clear_cache()
#' }
cache_info <- function() {
  call <- rlang::current_env()
  iad <- python_module(call)
  call_python(iad$cache_info$for_r, list(), call)
}

#' @rdname cache_info
#' @export
clear_cache <- function() {
  call <- rlang::current_env()
  iad <- python_module(call)
  with_python_errors(iad$clear_cache(), call)
  invisible()
}
