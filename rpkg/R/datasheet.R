# What is known of labelled photographs, in words.

#' Write a data statement
#'
#' Writes what is known of labelled photographs, and asks for what is not: a datasheet to complete and to publish.
#'
#' @inheritParams fine_tune
#' @param title What the data are called.
#' @param duplicates Whether to look for near-duplicates, as [find_duplicates()] does.
#' @param dates Whether to say in which years and days the photographs were taken, by their EXIF. Places are never told.
#' @param out A file to write the text to, such as `"datasheet.md"`.
#' @param overwrite Whether to replace a file that is there.
#' @returns The text (Markdown), a string that prints as it reads. What the package cannot know is marked *To be filled
#'   in by the researcher.*
#' @details The sections and what they ask for are those of Gebru et al. (2021), in words for photographs; who coded,
#'   and how, is asked as by Bender and Friedman (2018).
#'
#'   Filled in are: how many photographs, of which formats and sizes, and which cannot be read; the classes, attributes
#'   or scores and how they are spread; coders (without their names), answers and agreement; groups; the design by which
#'   photographs were drawn, where the table has the `inclusion_prob` of [sample_images()]; copies; and how many files
#'   say when and where they were taken.
#' @section Errors: `imagesasdata_labels_invalid`, `imagesasdata_image_column_missing`, `imagesasdata_images_not_found`,
#'   `imagesasdata_table_unreadable`, `imagesasdata_argument_invalid`.
#' @references Bender, E. M. and Friedman, B. (2018). Data statements for natural language processing. Transactions of
#'   the ACL 6, 587-604. Gebru, T. et al. (2021). Datasheets for datasets. Communications of the ACM 64 (12), 86-92.
#' @seealso [model_card()] for what a model should say of itself, [strip_metadata()].
#' @export
#' @examplesIf imagesasdata:::python_ready()
#' folder <- tempfile()
#' for (class in c("viridis", "grays")) {
#'   dir.create(file.path(folder, class), recursive = TRUE)
#'   for (i in 1:3) {
#'     png(file.path(folder, class, paste0(i, ".png")), 200, 150)
#'     image(volcano[i:(i + 40), ], col = hcl.colors(12, class))
#'     dev.off()
#'   }
#' }
#' data_statement(folder, title = "Volcanoes", duplicates = FALSE, progress = FALSE)
data_statement <- function(
  labels,
  image_col = "image",
  label_col = "label",
  image_dir = NULL,
  coders = NULL,
  task = "auto",
  groups = NULL,
  title = NULL,
  duplicates = TRUE,
  dates = FALSE,
  out = NULL,
  device = "auto",
  cache = TRUE,
  progress = TRUE,
  overwrite = FALSE
) {
  arguments <- as.list(environment())
  call <- rlang::current_env()
  iad <- python_module(call)
  # The probabilities by which photographs were drawn are told too.
  arguments <- send_labels(arguments, call, "inclusion_prob")
  as_card(run_python(iad$data_statement, arguments, call, text_from_python))
}
