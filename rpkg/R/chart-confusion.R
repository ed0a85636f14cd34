# Confusion matrices: what label by hand became what label by the model, as counts and as shares of a row.

most_shares <- 10 # classes, up to which a cell has room for its share too
most_attributes <- 12

chart_confusion <- function(x, options) {
  counts <- as.data.frame(x$confusion)
  counts$truth <- as.character(counts$truth)
  counts$label <- as.character(counts$label)
  if ("attribute" %in% names(counts)) {
    return(chart_attributes(of_classes(counts, "attribute", options)))
  }
  if (!is.null(options$class_name)) {
    abort("argument_invalid", "`class_name` is for several attributes; these are exclusive classes.", options$call)
  }
  classes <- unique(c(counts$truth, counts$label))
  if (length(classes) > most_classes) {
    return(chart_pairs(counts, length(classes)))
  }
  totals <- tapply(counts$n, factor(counts$truth, classes), sum, default = 0)
  rows <- function(class) sprintf("%s (%s)", short(class), count(totals[class]))
  draw_matrix(counts, classes, rows) + ggplot2::labs(title = sprintf("%s photographs", count(sum(counts$n))))
}

draw_matrix <- function(counts, classes, rows) {
  block <- if (is.null(counts$attribute)) counts$truth else paste(counts$truth, counts$attribute, sep = "\r")
  total <- stats::ave(counts$n, block, FUN = sum)
  counts$share <- ifelse(total > 0, counts$n / total, 0)
  few <- length(classes) <= most_shares
  counts$text <- if (few) paste0(count(counts$n), "\n", percent(counts$share)) else count(counts$n)
  # An empty cell says it best.
  counts$text[counts$n == 0 & (counts$truth != counts$label | !few)] <- ""
  counts$column <- factor(counts$label, classes)
  counts$row <- factor(counts$truth, rev(classes))
  size <- if (few) 3.2 else max(1.6, 3.4 - 0.07 * length(classes))
  cells <- function(dark) {
    rows <- (counts$share > 0.55) == dark
    ggplot2::geom_text(
      ggplot2::aes(label = .data$text),
      data = counts[rows, ],
      colour = if (dark) "white" else "#222222",
      size = size,
      lineheight = 0.95
    )
  }
  turned <- length(classes) > 6 || max(nchar(short(classes))) > 60 / length(classes)
  ggplot2::ggplot(counts, ggplot2::aes(.data$column, .data$row)) +
    ggplot2::geom_tile(ggplot2::aes(fill = .data$share), colour = "white", linewidth = 0.8) +
    cells(FALSE) +
    cells(TRUE) +
    ggplot2::scale_x_discrete(labels = short_labels()) +
    ggplot2::scale_y_discrete(labels = rows) +
    ggplot2::scale_fill_gradientn(
      colours = c("#ffffff", "#cfe3f1", "#7fb8d8", blue, "#003a5c"),
      limits = c(0, 1),
      labels = percent,
      name = "share of\nthe row",
      guide = if (few) "none" else "colourbar"
    ) +
    ggplot2::coord_fixed(expand = FALSE) +
    ggplot2::labs(x = "label by the model", y = "label by hand (photographs)") +
    chart_theme(
      panel.grid = ggplot2::element_blank(),
      axis.text.x = ggplot2::element_text(angle = if (turned) 45 else 0, hjust = if (turned) 1 else 0.5)
    )
}

# A small matrix for each attribute; of too many, those with the most errors.
chart_attributes <- function(counts) {
  attributes <- unique(counts$attribute)
  title <- NULL
  if (length(attributes) > most_attributes) {
    wrong <- tapply(counts$n * (counts$truth != counts$label), factor(counts$attribute, attributes), sum)
    title <- sprintf("The %d of %s attributes with the most errors", most_attributes, count(length(attributes)))
    attributes <- attributes[order(-wrong)][seq_len(most_attributes)]
    counts <- counts[counts$attribute %in% attributes, ]
  }
  counts$attribute <- factor(counts$attribute, attributes)
  draw_matrix(counts, unique(c(counts$truth, counts$label)), short_labels()) +
    ggplot2::facet_wrap("attribute", labeller = ggplot2::as_labeller(short_labels())) +
    ggplot2::labs(title = title, y = "label by hand")
}

# A matrix of so many classes cannot be read.
chart_pairs <- function(counts, classes) {
  total <- stats::ave(counts$n, counts$truth, FUN = sum)
  counts$text <- sprintf("%s (%s)", count(counts$n), percent(counts$n / pmax(total, 1)))
  wrong <- counts[counts$truth != counts$label & counts$n > 0, ]
  wrong <- utils::head(wrong[order(-wrong$n), ], most_classes)
  wrong$pair <- factor(seq_len(nrow(wrong)), rev(seq_len(nrow(wrong))))
  words <- sprintf("%s as %s", short(wrong$truth, 24), short(wrong$label, 24))
  ggplot2::ggplot(wrong, ggplot2::aes(.data$n, .data$pair)) +
    ggplot2::geom_col(fill = blue, width = 0.65) +
    ggplot2::geom_text(ggplot2::aes(label = .data$text), hjust = -0.1, size = 3) +
    ggplot2::scale_y_discrete(labels = function(pair) words[as.integer(pair)]) +
    ggplot2::scale_x_continuous(expand = ggplot2::expansion(mult = c(0, 0.2))) +
    ggplot2::labs(
      title = sprintf("Most often confused of %s classes: label by hand as label by the model", count(classes)),
      x = "photographs (share of the label by hand)",
      y = NULL
    ) +
    chart_theme(panel.grid.major.y = ggplot2::element_blank())
}
