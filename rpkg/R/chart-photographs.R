# Contact sheets: photographs side by side, each with its label by hand, its label by the model and the probability.

columns_shown <- 5
picture_side <- 0.94 # of a column's width
caption_height <- 0.42
most_letters <- 24

chart_photographs <- function(x, options) {
  call <- options$call
  python_module(call)
  title <- c(
    errors = "The most confident errors",
    uncertain = "The photographs of which the model is least certain"
  )[[options$type]]
  none <- c(errors = "There is no error.", uncertain = "There is no photograph with a probability.")[[options$type]]
  tiles <- with_python_errors(
    {
      thumbnails <- python_part("thumbnails")
      thumbnails$check_image_dir(options$image_dir)
      cases <- python_part("cases")$cases(findings_to_python(x), options$type, whole_number(options$n))
      lapply(reticulate::iterate(cases), read_tile, thumbnails, options$image_dir)
    },
    call
  )
  if (length(tiles) == 0) {
    return(ggplot2::ggplot() + ggplot2::labs(title = none) + chart_theme())
  }
  draw_sheet(tiles, title)
}

# A photograph of which something is told: its pixels, or why there are none, and the words below it.
read_tile <- function(case, thumbnails, image_dir) {
  known <- lapply(
    list(image = case$image, truth = case$truth, label = case$label, prob = case$prob, about = case$about),
    from_python
  )
  read <- thumbnails$thumbnail(known$image, image_dir)
  about <- if (is.null(known$about)) "" else paste0(known$about, ": ")
  prob <- if (is.null(known$prob)) "" else sprintf(" (%.2f)", known$prob)
  list(
    pixels = from_python(read[[0]]),
    problem = from_python(read[[1]]),
    image = basename(known$image),
    truth = paste0("hand: ", about, known$truth),
    label = paste0("model: ", about, known$label, prob),
    wrong = isTRUE(from_python(case$right) == FALSE)
  )
}

draw_sheet <- function(tiles, title) {
  place <- seq_along(tiles) - 1
  columns <- min(columns_shown, max(length(tiles), 3))
  left <- place %% columns
  top <- place %/% columns * (1 + caption_height)
  ggplot2::ggplot() +
    Map(draw_tile, tiles, left, top) +
    Map(draw_caption, tiles, left, top) +
    ggplot2::scale_x_continuous(limits = c(0, columns), expand = c(0, 0)) +
    ggplot2::scale_y_continuous(limits = c(-(max(top) + 1 + caption_height), 0), expand = c(0, 0)) +
    ggplot2::coord_fixed() +
    ggplot2::labs(title = title) +
    ggplot2::theme_void(base_size = 11) +
    ggplot2::theme(
      plot.title = ggplot2::element_text(face = "bold", size = ggplot2::rel(1), margin = ggplot2::margin(4, 0, 8, 4)),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

draw_caption <- function(tile, left, top) {
  lines <- c(tile$truth, tile$label, tile$image)
  colours <- c("#222222", if (tile$wrong) red else "#222222", grey)
  edge <- left + (1 - picture_side) / 2
  bottom <- -(top + picture_side + caption_height)
  words <- caption_grob(short(lines, most_letters), colours)
  ggplot2::annotation_custom(words, edge, edge + picture_side, bottom + 0.04, bottom + caption_height - 0.02)
}

caption_grob <- function(lines, colours) {
  grid::gTree(lines = lines, colours = colours, cl = "iad_caption")
}

# nolint start: object_name_linter.
# Letters as large as the column is wide: how large the picture is, is known only when it is drawn.
#' @exportS3Method grid::makeContent
makeContent.iad_caption <- function(x) {
  width <- grid::convertWidth(grid::unit(1, "npc"), "points", valueOnly = TRUE)
  text <- grid::textGrob(
    x$lines,
    x = 0,
    y = 1 - (seq_along(x$lines) - 1) / length(x$lines),
    hjust = 0,
    vjust = 1,
    gp = grid::gpar(fontsize = min(9, width / (0.52 * most_letters)), col = x$colours)
  )
  grid::setChildren(x, grid::gList(text))
}
# nolint end

# The photograph stands on its caption. One that cannot be read is a grey square with the reason.
draw_tile <- function(tile, left, top) {
  pixels <- tile$pixels
  shape <- if (is.null(pixels)) c(1, 1) else dim(pixels)[1:2]
  size <- picture_side * shape / max(shape)
  box <- list(xmin = left + (1 - size[2]) / 2, ymin = -(top + picture_side))
  box <- c(box, xmax = box$xmin + size[2], ymax = box$ymin + size[1])
  if (!is.null(pixels)) {
    raster <- grDevices::as.raster(pixels, max = 255)
    return(do.call(ggplot2::annotation_raster, c(list(raster), box, interpolate = TRUE)))
  }
  reason <- utils::head(strwrap(short(tile$problem, 90), most_letters - 4), 5)
  inside <- box
  inside$xmin <- inside$xmin + 0.04
  inside$ymax <- inside$ymin + 0.6 * size[1]
  list(
    do.call(ggplot2::annotate, c("rect", box, fill = pale)),
    do.call(ggplot2::annotation_custom, c(list(caption_grob(reason, "#222222")), inside))
  )
}
