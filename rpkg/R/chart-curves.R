# Curves over thresholds and probabilities: ROC, precision and recall, calibration.

worst_shown <- 5
most_panels <- 9

# Fawcett, T. (2006). An introduction to ROC analysis.
chart_roc <- function(x, options) {
  draw_curves(x, options, "roc", c("fpr", "tpr"), "roc_auc") +
    ggplot2::geom_abline(colour = grey, linetype = "13") +
    ggplot2::labs(
      title = "ROC curve",
      x = "false positives: share of the others that are taken for it",
      y = "recall: share of the class that is found"
    )
}

# Davis, J. and Goadrich, M. (2006). The relationship between precision-recall and ROC curves.
chart_pr <- function(x, options) {
  draw_curves(x, options, "pr", c("recall", "precision"), "pr_auc") +
    ggplot2::labs(
      title = "Precision and recall",
      x = "recall: share of the class that is found",
      y = "precision: share of what is found that is right"
    )
}

draw_curves <- function(x, options, table, columns, metric) {
  points <- of_classes(x[[table]], "class", options)
  points <- data.frame(class = class_key(points$class), x = points[[columns[1]]], y = points[[columns[2]]])
  areas <- as.data.frame(x$metrics)[x$metrics$metric == metric, ]
  areas <- areas[match(unique(points$class), class_key(areas$class)), ]
  areas$class <- unique(points$class)
  many <- nrow(areas) > length(series_colours)
  if (many) {
    areas <- utils::head(areas[order(areas$estimate), ], worst_shown)
  }
  figures <- with_interval(areas$estimate, areas$conf_low, areas$conf_high, nothing = "")
  labels <- paste(ifelse(areas$class == "", "all classes", short(areas$class)), figures)
  top <- points[points$class %in% areas$class, ]
  top$class <- factor(top$class, areas$class)
  series <- seq_len(nrow(areas))
  heading <- if (many) sprintf("least area of %s", count(length(unique(points$class)))) else "area under the curve"
  ggplot2::ggplot(points, ggplot2::aes(.data$x, .data$y)) +
    ggplot2::geom_path(ggplot2::aes(group = .data$class), colour = pale, linewidth = 0.4) +
    ggplot2::geom_path(ggplot2::aes(colour = .data$class, linetype = .data$class), data = top, linewidth = 0.8) +
    ggplot2::scale_colour_manual(values = series_colours[series], labels = labels, name = heading) +
    ggplot2::scale_linetype_manual(values = series_dashes[series], labels = labels, name = heading) +
    share_scale(ggplot2::scale_x_continuous) +
    share_scale(ggplot2::scale_y_continuous) +
    ggplot2::coord_fixed() +
    chart_theme(legend.key.width = ggplot2::unit(2.2, "lines"), legend.justification = "top")
}

# Text that stands for each class, "" for all of them together: no class has an empty name.
class_key <- function(class) {
  ifelse(is.na(class), "", as.character(class))
}

# How often a label is right, by its probability: all classes together where the table has that, or else each one.
chart_calibration <- function(x, options) {
  bins <- of_classes(x$calibration, "class", options)
  if (is.null(options$class_name) && anyNA(bins$class)) {
    bins <- bins[is.na(bins$class), ]
  }
  bins$class <- class_key(bins$class)
  classes <- unique(bins$class)
  title <- if (identical(classes, "")) "Calibration of all classes" else "Calibration"
  if (length(classes) > most_panels) {
    weighted <- abs(bins$prob - bins$share) * bins$n
    distance <- tapply(weighted, factor(bins$class, classes), sum) / tapply(bins$n, factor(bins$class, classes), sum)
    title <- sprintf("The %d of %s classes that are calibrated worst", most_panels, count(length(classes)))
    classes <- classes[order(-distance)][seq_len(most_panels)]
  }
  bins <- bins[bins$class %in% classes, ]
  bins$class <- factor(bins$class, classes)
  panels <- if (length(classes) > 1) ggplot2::facet_wrap("class", labeller = ggplot2::as_labeller(short_labels()))
  ggplot2::ggplot(bins, ggplot2::aes(.data$prob, .data$share)) +
    ggplot2::geom_abline(colour = grey, linetype = "13") +
    ggplot2::geom_line(colour = blue, linewidth = 0.5) +
    ggplot2::geom_linerange(ggplot2::aes(ymin = .data$conf_low, ymax = .data$conf_high), colour = blue) +
    ggplot2::geom_point(ggplot2::aes(size = .data$n), colour = blue) +
    ggplot2::scale_size_area(name = "photographs", max_size = 5, labels = count) +
    share_scale(ggplot2::scale_x_continuous) +
    share_scale(ggplot2::scale_y_continuous) +
    ggplot2::coord_fixed() +
    panels +
    ggplot2::labs(title = title, x = "probability", y = "share that is right") +
    chart_theme()
}
