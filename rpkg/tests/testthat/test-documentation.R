# Every verb is explained: with an example, and in the index of the site.

# The pages of help, from the sources or from the installed package.
help_pages <- function() {
  folder <- testthat::test_path("..", "..", "man")
  files <- list.files(folder, "\\.Rd$", full.names = TRUE)
  pages <- if (length(files)) lapply(files, tools::parse_Rd) else tools::Rd_db("imagesasdata")
  testthat::skip_if(length(pages) == 0, "the package was installed without its help, and its sources are not here")
  unname(pages)
}

rd_text <- function(page, tag) {
  found <- Filter(function(part) identical(attr(part, "Rd_tag"), tag), page)
  vapply(found, function(part) paste(unlist(part), collapse = ""), "")
}

exported <- function() sort(getNamespaceExports("imagesasdata"))

test_that("every verb has a page with an example that names it", {
  pages <- help_pages()
  examples <- vapply(pages, function(page) paste(rd_text(page, "\\examples"), collapse = ""), "")
  for (verb in exported()) {
    of_verb <- vapply(pages, function(page) verb %in% rd_text(page, "\\alias"), TRUE)
    expect_identical(sum(of_verb), 1L, label = verb)
    expect_match(examples[of_verb], paste0("\\b", verb, "\\("), label = verb)
  }
})

test_that("every argument of a verb is explained", {
  pages <- help_pages()
  for (verb in exported()) {
    of_verb <- Filter(function(page) verb %in% rd_text(page, "\\alias"), pages)[[1]]
    arguments <- Filter(function(part) identical(attr(part, "Rd_tag"), "\\arguments"), of_verb)
    items <- unlist(lapply(arguments, Filter, f = function(part) identical(attr(part, "Rd_tag"), "\\item")), FALSE)
    named <- unlist(lapply(items, function(item) strsplit(paste(unlist(item[[1]]), collapse = ""), ", *")))
    unexplained <- setdiff(names(formals(verb, getNamespace("imagesasdata"))), named)
    expect_identical(length(unexplained), 0L, label = verb)
  }
})

test_that("examples run where Python is, and only that which installs never does", {
  for (page in help_pages()) {
    example <- paste(rd_text(page, "\\examples"), collapse = "")
    name <- rd_text(page, "\\name")
    if (!nzchar(example) || name == "install_imagesasdata") {
      next
    }
    expect_match(example, "imagesasdata:::python_ready()", fixed = TRUE, label = name)
  }
})

test_that("every page of help is in the index of the site, once", {
  site <- testthat::test_path("..", "..", "_pkgdown.yml")
  skip_if_not(file.exists(site), "the sources are not here")
  lines <- readLines(site, encoding = "UTF-8")
  reference <- lines[seq(match("reference:", lines), match("articles:", lines))]
  listed <- sub("^ +- ", "", grep("^ +- [A-Za-z_.-]+$", reference, value = TRUE))
  pages <- vapply(help_pages(), rd_text, "", "\\name")
  expect_identical(sort(listed), sort(pages))
})
