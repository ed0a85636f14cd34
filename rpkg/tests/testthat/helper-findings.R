# Findings made in R, as Python would make them: their tables, and the text of their facts.

fake_findings <- function(
  tables,
  facts = list(),
  kind = "evaluation",
  lines = "Evaluation of some photographs",
  notes = character()
) {
  told <- list(kind = kind, facts = facts, lines = as.list(lines), notes = as.list(notes))
  json <- as.character(jsonlite::toJSON(told, auto_unbox = TRUE, null = "null", digits = NA))
  list(
    facts_json = function() json,
    table_names = function() names(tables),
    tables = tables
  )
}

# Labels by hand and by the model of photographs in `classes`, the model right in most cases; reckoned in R.
evaluated <- function(classes = c("cat", "dog", "fox"), n = 60, task = "single") {
  rows <- seq_len(n) - 1
  truth <- classes[rows %% length(classes) + 1]
  label <- ifelse(rows %% 5 == 0, classes[(rows + 1) %% length(classes) + 1], truth)
  prob <- 0.5 + (rows %% 10) / 20
  thresholds <- seq(1, 0, -0.1)
  about <- function(class) {
    scores <- ifelse(label == class, prob, (1 - prob) / 2)
    found <- vapply(thresholds, function(t) mean(scores[truth == class] >= t), 0)
    false <- vapply(thresholds, function(t) mean(scores[truth != class] >= t), 0)
    precision <- vapply(thresholds, function(t) if (any(scores >= t)) mean(truth[scores >= t] == class) else 1, 0)
    list(
      roc = data.frame(class = class, threshold = thresholds, fpr = false, tpr = found),
      pr = data.frame(class = class, threshold = thresholds, recall = found, precision = precision),
      metrics = metric_rows(c("precision", "recall", "f1", "roc_auc"), class, c(0.8, 0.7, 0.75, 0.9), n)
    )
  }
  each <- lapply(classes, about)
  bind <- function(name) do.call(rbind, lapply(each, `[[`, name))
  whole <- metric_rows(c("accuracy", "macro_f1", "brier", "log_loss"), NA, c(mean(truth == label), 0.78, 0.2, 1.4), n)
  bins <- data.frame(
    class = NA_character_,
    prob = c(0.55, 0.75, 0.95),
    share = c(0.6, 0.8, 0.9),
    conf_low = c(0.5, 0.7, 0.8),
    conf_high = c(0.7, 0.9, 1),
    n = c(10, 20, 30)
  )
  tables <- list(
    metrics = rbind(whole, bind("metrics")),
    confusion = as.data.frame(
      table(truth = factor(truth, classes), label = factor(label, classes)),
      responseName = "n"
    ),
    roc = bind("roc"),
    pr = bind("pr"),
    calibration = bins,
    predictions = data.frame(image = sprintf("%d.jpg", rows), truth, label, prob, error = NA_character_)
  )
  facts <- list(
    task = task,
    classes = as.list(classes),
    n = n,
    n_failed = 0L,
    conf_level = 0.95,
    primary = "accuracy",
    estimate = mean(truth == label),
    conf_low = 0.7,
    conf_high = 0.9,
    baseline = 1 / 3,
    ceiling = NULL
  )
  as_findings(fake_findings(tables, facts))
}

metric_rows <- function(metric, class, estimate, n) {
  data.frame(
    metric = metric,
    class = class,
    estimate = estimate,
    conf_low = estimate - 0.08,
    conf_high = estimate + 0.08,
    n = n,
    interval = "bootstrap"
  )
}

learned <- function() {
  curve <- data.frame(
    n = c(20, 40, 80, 160),
    metric = "accuracy",
    estimate = c(0.6, 0.7, 0.77, 0.8),
    conf_low = c(0.5, 0.62, 0.7, 0.74),
    conf_high = c(0.7, 0.78, 0.84, 0.86)
  )
  gain <- list(gain_100 = 0.02, gain_100_low = 0.005, gain_100_high = 0.04)
  facts <- c(list(task = "single", n = 200, curve_a = 0.9, curve_b = 1.5, curve_c = 0.5), gain)
  as_findings(fake_findings(list(curve = curve, metrics = curve), facts, "learning_curve", "Learning curve"))
}

# With several attributes: one block of the confusion matrix for each.
attributes_evaluated <- function(names = c("fire", "flag")) {
  cells <- expand.grid(truth = c("no", "yes"), label = c("no", "yes"), attribute = names, stringsAsFactors = FALSE)
  cells$n <- rep(c(40, 5, 3, 12), length(names))
  each <- do.call(rbind, lapply(names, function(name) metric_rows(by_class, name, c(0.8, 0.7, 0.75), 60)))
  tables <- list(metrics = rbind(metric_rows("macro_f1", NA, 0.75, 60), each), confusion = cells)
  as_findings(fake_findings(tables, list(task = "multi", classes = as.list(names), primary = "macro_f1", n = 60)))
}

scores_evaluated <- function(names = c("violence", "crowd")) {
  metrics <- c("r2", "mae", "rmse", "correlation")
  each <- lapply(names, function(name) metric_rows(metrics, name, c(0.6, 12, 15, 0.8), 60))
  as_findings(fake_findings(list(metrics = do.call(rbind, each)), list(task = "score", primary = "mean r2", n = 60)))
}
