# Where a model sees a class, over the photograph.

#' Picture of where a model sees a class
#'
#' Shows what a model sees of a photograph, and beside it where it sees the class: the map of [saliency_map()] over the
#' photograph in grey. The brighter a place, the more it adds to the class.
#'
#' @inheritParams saliency_map
#' @returns A ggplot.
#' @inheritSection saliency_map Errors
#' @export
#' @examplesIf imagesasdata:::python_ready() && rlang::is_installed("ggplot2")
#' photo <- tempfile(fileext = ".png")
#' png(photo, 300, 200)
#' plot(volcano)
#' dev.off()
#' plot_saliency(photo)
plot_saliency <- function(image, model = "efficientnet_lite0", class_name = NULL, device = "cpu") {
  call <- rlang::current_env()
  need_ggplot2(call)
  if (!rlang::is_string(image)) {
    abort("argument_invalid", sprintf("`image` is %s; give the path of one photograph.", kind(image)), call)
  }
  given <- arguments_for_python(list(model = model, device = device))
  iad <- python_module(call)
  found <- with_python_errors(
    {
      maps <- python_part("saliency")$ActivationMaps(iad$load_model(given$model), given$device)
      seen <- maps(image, class_name)
      lapply(list(pixels = seen$pixels, heat = seen$heat, name = seen$class_name, value = seen$value), from_python)
    },
    call
  )
  side <- rev(dim(found$heat))
  ggplot2::ggplot() +
    draw_pixels(found$pixels / 255, 0, side) +
    draw_pixels(heat_over(found$pixels / 255, found$heat), 1.05 * side[1], side) +
    ggplot2::coord_fixed(xlim = c(0, 2.05 * side[1]), ylim = c(0, side[2]), expand = FALSE) +
    ggplot2::labs(title = sprintf("%s: %s (%.2f)", short(basename(image)), short(found$name), found$value)) +
    ggplot2::theme_void(base_size = 11) +
    ggplot2::theme(
      plot.title = ggplot2::element_text(face = "bold", size = ggplot2::rel(1), margin = ggplot2::margin(4, 0, 8, 4)),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

draw_pixels <- function(pixels, left, side) {
  ggplot2::annotation_raster(grDevices::as.raster(pixels), left, left + side[1], 0, side[2], interpolate = TRUE)
}

# The photograph in grey, and the map in colour over it, as Python draws it.
heat_over <- function(pixels, heat) {
  grey <- matrix(matrix(pixels, ncol = 3) %*% c(0.299, 0.587, 0.114), nrow(pixels))
  colours <- grDevices::col2rgb(grDevices::hcl.colors(256, "viridis")) / 255
  share <- 0.2 + 0.45 * heat
  place <- 1 + round(255 * heat)
  mixed <- vapply(1:3, function(i) (1 - share) * grey + share * colours[i, place], grey)
  array(mixed, dim(pixels))
}
