# Coefficients side by side, corrected shares, and standard errors by number of labels.

way_names <- c(naive = "predictions taken for labels", labels = "hand labels alone", corrected = "corrected")
way_colours <- c(naive = red, labels = grey, corrected = blue)
way_shapes <- c(naive = 15, labels = 17, corrected = 16)
hidden_terms <- c("Intercept", "(Intercept)", "const", "alpha")
most_terms <- 6

# Without the intercept, which is on a scale of its own.
chart_coefficients <- function(x, options) {
  wide <- as.data.frame(x$estimates)
  terms <- setdiff(wide$term, hidden_terms)
  wide <- if (length(terms) > 0) wide[wide$term %in% terms, ] else wide
  rows <- do.call(
    rbind,
    lapply(ways, function(way) {
      columns <- paste0(way, c("_estimate", "_conf_low", "_conf_high"))
      stats::setNames(data.frame(wide$term, way, wide[columns]), c("row", "way", "estimate", "conf_low", "conf_high"))
    })
  )
  draw_ways(rows, rep("", nrow(wide))) +
    ggplot2::geom_vline(xintercept = 0, colour = grey, linetype = "22", linewidth = 0.4) +
    ggplot2::labs(
      title = "What the errors of the predictions do to the coefficients",
      x = sprintf("coefficient, with %s interval", percent(x$facts$conf_level))
    )
}

chart_shares <- function(x, options) {
  shares <- as.data.frame(x$shares)
  group <- ifelse(is.na(shares$group), "all", as.character(shares$group))
  name <- ifelse(is.na(shares$class), group, paste(shares$class, group))
  corrected <- data.frame(row = name, way = "corrected", shares[c("estimate", "conf_low", "conf_high")])
  naive <- data.frame(row = name, way = "naive", estimate = shares$naive, conf_low = NA, conf_high = NA)
  draw_ways(rbind(naive, corrected), sprintf("  (%s labels)", count(shares$n_labelled))) +
    ggplot2::labs(
      title = sprintf("%s: how much of it there is", short(x$facts$variable)),
      x = sprintf("estimate, with %s interval", percent(x$facts$conf_level))
    )
}

# `rows` has row, way, estimate, conf_low and conf_high; the first on top, and of a row the corrected estimate below.
draw_ways <- function(rows, after) {
  rows <- rows[!is.na(rows$estimate), ]
  names <- unique(rows$row)
  words <- stats::setNames(paste0(short(names, 30), after[seq_along(names)]), names)
  there <- intersect(ways, rows$way)
  rows$row <- factor(rows$row, rev(names))
  rows$way <- factor(rows$way, rev(there)) # those of one row are drawn from below
  looks <- function(scale, values) scale(values = values[there], breaks = there, labels = way_names[there], name = NULL)
  beside <- ggplot2::position_dodge(width = 0.6)
  ggplot2::ggplot(
    rows,
    ggplot2::aes(
      .data$estimate,
      .data$row,
      xmin = .data$conf_low,
      xmax = .data$conf_high,
      colour = .data$way,
      shape = .data$way
    )
  ) +
    ggplot2::geom_linerange(position = beside, na.rm = TRUE, linewidth = 0.7, show.legend = FALSE) +
    ggplot2::geom_point(position = beside, size = 2.4) +
    looks(ggplot2::scale_colour_manual, way_colours) +
    looks(ggplot2::scale_shape_manual, way_shapes) +
    ggplot2::scale_y_discrete(labels = words) +
    ggplot2::labs(y = NULL) +
    chart_theme(panel.grid.major.y = ggplot2::element_blank(), legend.position = "bottom")
}

chart_power <- function(x, options) {
  power <- as.data.frame(x$power)
  terms <- unique(power$term)
  shown <- setdiff(terms, hidden_terms)
  shown <- utils::head(if (length(shown) > 0) shown else terms, most_terms)
  power <- power[power$term %in% shown, ]
  power$term <- factor(power$term, shown)
  series <- seq_along(shown)
  looks <- function(scale, values) scale(values = values[series], labels = short(shown, 30), name = NULL)
  at_hand <- x$facts$n_labelled
  ggplot2::ggplot(
    power,
    ggplot2::aes(.data$n_labelled, .data$std_error, colour = .data$term, linetype = .data$term)
  ) +
    ggplot2::geom_vline(xintercept = at_hand, colour = grey, linetype = "13") +
    ggplot2::annotate(
      "text",
      x = at_hand,
      y = Inf,
      label = sprintf(" at hand: %s", count(at_hand)),
      hjust = 0,
      vjust = 1.5,
      size = 3.2,
      colour = grey
    ) +
    ggplot2::geom_line(linewidth = 0.8) +
    looks(ggplot2::scale_colour_manual, series_colours) +
    looks(ggplot2::scale_linetype_manual, series_dashes) +
    ggplot2::scale_x_log10(labels = count, breaks = round_numbers) +
    ggplot2::scale_y_continuous(limits = c(0, NA), expand = ggplot2::expansion(mult = c(0, 0.08))) +
    ggplot2::labs(
      title = "What more hand labels would bring",
      x = "hand labels (log scale)",
      y = "standard error"
    ) +
    chart_theme(legend.key.width = ggplot2::unit(2.2, "lines"))
}

# 1, 2, 5, 10 and so on, within limits.
round_numbers <- function(limits) {
  numbers <- c(outer(c(1, 2, 5), 10^(0:9)))
  numbers[numbers >= limits[1] & numbers <= limits[2]]
}
