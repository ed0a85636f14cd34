# The verbs are the same in both languages: names, order and defaults of their arguments.

verbs <- c(
  classify_images = "classify_images",
  embed_images = "embed_images",
  tag_images = "tag_images",
  merge_predictions = "merge_predictions",
  load_model = "load_model",
  model_card = "model_card",
  cache_info = "cache_info",
  clear_cache = "clear_cache",
  coder_agreement = "coder_agreement",
  sample_images = "sample_images",
  find_duplicates = "find_duplicates",
  fine_tune = "fine_tune",
  cross_validate = "cross_validate",
  learning_curve = "learning_curve",
  evaluate_predictions = "evaluate_predictions",
  audit_predictions = "audit_predictions",
  saliency_map = "saliency_map",
  plot_saliency = "plot_saliency",
  data_statement = "data_statement",
  sample_frames = "sample_frames",
  strip_metadata = "strip_metadata",
  write_report = "write_report",
  detect_faces = "detect_faces",
  recognize_faces = "recognize_faces",
  enroll_people = "enroll_people",
  verify_faces = "verify_faces",
  cluster_faces = "cluster_faces",
  score_expressions = "score_expressions",
  blur_faces = "blur_faces",
  list_models = "list_models",
  add_model = "add_model",
  remove_model = "remove_model",
  regress = "regress",
  estimate_share = "estimate_share",
  power_regress = "power_regress",
  iad_doctor = "doctor"
)

python_signature <- function(verb) {
  inspect <- reticulate::import("inspect", convert = FALSE)
  parameters <- reticulate::iterate(inspect$signature(python_module()[[verb]])$parameters$values())
  defaults <- lapply(parameters, function(p) {
    if (reticulate::py_to_r(p$default == inspect$Parameter$empty)) "required" else reticulate::py_to_r(p$default)
  })
  stats::setNames(defaults, vapply(parameters, function(p) reticulate::py_to_r(p$name), ""))
}

r_signature <- function(verb) {
  lapply(formals(verb), function(default) if (rlang::is_missing(default)) "required" else eval(default))
}

test_that("arguments, order and defaults agree with Python", {
  skip_without_python()
  for (verb in names(verbs)) {
    mine <- r_signature(get(verb, asNamespace("imagesasdata")))
    theirs <- python_signature(verbs[[verb]])
    expect_identical(names(mine), if (length(theirs)) names(theirs), label = verb)
    expect_equal(unname(mine), unname(theirs), label = verb)
  }
})
