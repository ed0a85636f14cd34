# Dots and whiskers: metrics with their intervals, by class and by group, and the learning curve.

# Of these less is better; some are in the units of the score, or have no upper end.
less_is_better <- c("brier", "calibration_error", "log_loss", "mae", "rmse")
by_class <- c("precision", "recall", "f1")

chart_metrics <- function(x, options) {
  metrics <- as.data.frame(x$metrics)
  metrics <- metrics[!is.na(metrics$estimate), ]
  if (nrow(metrics) == 0) {
    abort("argument_invalid", "No metric of these findings is defined.", options$call)
  }
  title <- if (!is.null(x$facts$conf_level)) sprintf("Metrics with %s intervals", percent(x$facts$conf_level))
  draw_all_metrics(x, metrics) + ggplot2::labs(title = title)
}

draw_all_metrics <- function(x, metrics) {
  if (inherits(x, "imagesasdata_agreement")) {
    return(draw_dots(data.frame(panel = short(metrics$name), row = sentence(metric_name(metrics$metric)), metrics)))
  }
  if (identical(x$facts$task, "score")) {
    return(draw_scores(metrics))
  }
  whole <- metrics[is.na(metrics$class), ]
  less <- whole[whole$metric %in% less_is_better, ]
  figures <- with_interval(less$estimate, less$conf_low, less$conf_high)
  words <- paste("Less is better:", paste(metric_name(less$metric), figures, collapse = ", "))
  more <- whole[!whole$metric %in% less_is_better, ]
  rows <- data.frame(panel = rep("Whole", nrow(more)), row = sentence(metric_name(more$metric)), more)
  each <- rows_by_class(metrics, x$facts$task)
  rows$series <- rep("whole", nrow(rows))
  draw_dots(rbind(rows, each$rows), references(x$facts, rows), if (nrow(less) > 0) words, each$subtitle)
}

# Precision, recall and F1 of each class; of too many classes, those with the least F1.
rows_by_class <- function(metrics, task) {
  each <- metrics[!is.na(metrics$class) & metrics$metric %in% by_class, ]
  what <- if (identical(task, "multi")) "attribute" else "class"
  f1 <- each[each$metric == "f1", ]
  classes <- length(unique(each$class))
  subtitle <- NULL
  if (classes > most_classes) {
    subtitle <- sprintf("By %s: the %d of %s with the least F1", what, most_classes, count(classes))
    each <- each[each$class %in% f1$class[order(f1$estimate)][seq_len(most_classes)], ]
  }
  rows <- data.frame(panel = rep(paste("By", what), nrow(each)), row = each$class, each, series = each$metric)
  list(rows = rows, subtitle = subtitle)
}

# What the accuracy can be compared with, in its row.
references <- function(facts, rows) {
  values <- c("most frequent class" = facts$baseline, "coders' agreement" = facts$ceiling)
  at <- rows[rows$metric == "accuracy", ]
  if (length(values) == 0 || nrow(at) == 0) {
    return(NULL)
  }
  data.frame(panel = at$panel[1], row = at$row[1], estimate = values, words = names(values))
}

# `rows` has panel, row, estimate, conf_low, conf_high and, where a row has several dots, series.
draw_dots <- function(rows, references = NULL, caption = NULL, subtitle = NULL) {
  if (is.null(rows$series)) {
    rows$series <- rep("whole", nrow(rows))
  }
  rows$panel <- factor(rows$panel, unique(rows$panel))
  # Rows of two panels may have one name, so panel and row together are the key, and the words are looked up.
  key <- paste(rows$panel, rows$row, sep = "\r")
  rows$key <- factor(key, rev(unique(key)))
  figures <- with_interval(rows$estimate, rows$conf_low, rows$conf_high)
  words <- ifelse(rows$series == "whole", paste(short(rows$row), figures, sep = "  "), short(rows$row))
  names(words) <- key
  series <- c("whole", by_class)
  rows$series <- factor(rows$series, rev(series)) # those of one row are drawn from below
  looks <- function(scale, values) {
    scale(values = stats::setNames(values, series), breaks = by_class, labels = metric_name(by_class), name = NULL)
  }
  beside <- ggplot2::position_dodge(width = 0.6)
  ggplot2::ggplot(
    rows,
    ggplot2::aes(
      .data$estimate,
      .data$key,
      xmin = .data$conf_low,
      xmax = .data$conf_high,
      colour = .data$series,
      shape = .data$series
    )
  ) +
    ggplot2::geom_linerange(position = beside, na.rm = TRUE, show.legend = FALSE) +
    ggplot2::geom_point(position = beside, size = 2.2) +
    draw_references(references, rows) +
    looks(ggplot2::scale_colour_manual, c(blue, blue, red, "#009E73")) +
    looks(ggplot2::scale_shape_manual, c(16, 16, 15, 17)) +
    ggplot2::scale_y_discrete(labels = words) +
    dots_axis(rows) +
    ggplot2::facet_grid(rows = "panel", scales = "free_y", space = "free_y", switch = "y") +
    ggplot2::labs(
      x = NULL,
      y = NULL,
      subtitle = subtitle,
      caption = paste(c(said_of(references), strwrap(caption, 100)), collapse = "\n")
    ) +
    chart_theme(
      legend.position = if (any(rows$series != "whole")) "top" else "none",
      panel.grid.major.y = ggplot2::element_blank(),
      strip.placement = "outside",
      strip.text.y.left = ggplot2::element_text(angle = 90, hjust = 0.5)
    )
}

draw_references <- function(references, rows) {
  if (is.null(references)) {
    return(NULL)
  }
  references$key <- factor(paste(references$panel, references$row, sep = "\r"), levels(rows$key))
  references$panel <- factor(references$panel, levels(rows$panel))
  ggplot2::geom_point(
    ggplot2::aes(.data$estimate, .data$key),
    data = references,
    shape = "|",
    size = 5,
    colour = grey,
    inherit.aes = FALSE
  )
}

said_of <- function(references) {
  if (!is.null(references)) {
    paste0("| ", paste(sprintf("%s %.3f", references$words, references$estimate), collapse = ", "))
  }
}

dots_axis <- function(rows) {
  values <- c(rows$estimate, rows$conf_low, rows$conf_high)
  low <- min(0, values, na.rm = TRUE)
  ggplot2::scale_x_continuous(limits = c(low, max(1, values, na.rm = TRUE)), n.breaks = 6)
}

# The metrics of scores are in different units, and each has the same rows: a panel for each metric.
draw_scores <- function(metrics) {
  scores <- unique(metrics$class[!is.na(metrics$class)])
  # The whole is the mean over the scores, and says nothing more where there is one.
  if (length(scores) == 1) {
    metrics <- metrics[!is.na(metrics$class), ]
  }
  metrics$class <- factor(ifelse(is.na(metrics$class), "mean", metrics$class), rev(unique(c("mean", scores))))
  metrics$metric <- factor(metrics$metric, unique(metrics$metric))
  metrics$text <- with_interval(metrics$estimate, metrics$conf_low, metrics$conf_high)
  ggplot2::ggplot(metrics, ggplot2::aes(.data$estimate, .data$class, xmin = .data$conf_low, xmax = .data$conf_high)) +
    ggplot2::geom_linerange(colour = blue, na.rm = TRUE) +
    ggplot2::geom_point(colour = blue, size = 2.2) +
    ggplot2::geom_text(ggplot2::aes(x = Inf, label = .data$text), hjust = 1, vjust = -1, size = 2.8) +
    ggplot2::scale_y_discrete(labels = short_labels()) +
    ggplot2::facet_wrap(
      "metric",
      scales = "free_x",
      labeller = ggplot2::as_labeller(function(metric) sentence(metric_name(metric)))
    ) +
    ggplot2::expand_limits(x = 0) +
    ggplot2::labs(x = NULL, y = NULL) +
    chart_theme(panel.grid.major.y = ggplot2::element_blank())
}

# Is the model as good for all groups?
chart_groups <- function(x, options) {
  groups <- as.data.frame(x$groups)
  primary <- sub("^mean ", "", x$facts$primary)
  metric <- c(options$metric, intersect(primary, groups$metric), groups$metric)[1]
  if (!metric %in% groups$metric) {
    text <- sprintf("`metric` is %s; there are %s.", shown(metric), toString(dQuote(unique(groups$metric), FALSE)))
    abort("argument_invalid", text, options$call)
  }
  rows <- groups[groups$metric == metric & !is.na(groups$estimate), ]
  if (anyNA(rows$class)) {
    rows <- rows[is.na(rows$class), ]
  }
  class <- ifelse(is.na(rows$class), "", paste0(short(rows$class, 16), ", "))
  rows <- data.frame(panel = short(rows$by), row = sprintf("%s%s (%s)", class, rows$group, count(rows$n)), rows)
  overall <- if (identical(metric, primary) && !is.null(x$facts$estimate)) {
    ggplot2::geom_vline(xintercept = x$facts$estimate, colour = grey, linetype = "22")
  }
  said <- if (!is.null(overall)) sprintf("dashed: all %s, %.3f", count(x$facts$n), x$facts$estimate)
  draw_dots(rows, caption = said) + overall + ggplot2::labs(title = sentence(metric_name(metric)))
}

chart_learning_curve <- function(x, options) {
  curve <- as.data.frame(x$curve)
  facts <- x$facts
  metric <- metric_name(curve$metric[1])
  promise <- NULL
  title <- sprintf("%s by number of labels", sentence(metric))
  if (!is.null(facts$gain_100)) {
    n <- seq(min(curve$n), facts$n + 100, length.out = 50)
    promise <- ggplot2::geom_line(
      data = data.frame(n = n, estimate = facts$curve_a - facts$curve_b * n^-facts$curve_c),
      colour = grey,
      linetype = "22"
    )
    title <- sprintf("%s\n100 more are expected to add %+.3f", title, facts$gain_100)
    if (!is.null(facts$gain_100_low)) {
      title <- sprintf("%s [%.3f, %.3f]", title, facts$gain_100_low, facts$gain_100_high)
    }
  }
  ggplot2::ggplot(curve, ggplot2::aes(.data$n, .data$estimate)) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = .data$conf_low, ymax = .data$conf_high), fill = blue, alpha = 0.18) +
    promise +
    ggplot2::geom_line(colour = blue, linewidth = 0.8) +
    ggplot2::geom_point(colour = blue, size = 2.2) +
    ggplot2::scale_x_log10(breaks = spread(curve$n), labels = count) +
    ggplot2::labs(title = title, x = "labelled photographs to learn from (log scale)", y = metric) +
    chart_theme()
}

# Sizes whose labels do not run into each other, the last one always among them.
spread <- function(sizes) {
  kept <- numeric()
  for (size in sort(unique(sizes), decreasing = TRUE)) {
    if (length(kept) == 0 || kept[1] / size >= 1.25) kept <- c(size, kept)
  }
  kept
}
