compared <- function(n = 90) {
  rows <- seq_len(n) - 1
  classes <- c("cat", "dog", "fox")
  truth <- classes[rows %% 3 + 1]
  scores <- vapply(classes, function(class) exp(2 * (truth == class) + sin(rows * 7 + match(class, classes))), rows * 0)
  probs <- scores / rowSums(scores)
  data.frame(
    image = sprintf("%d.jpg", rows),
    truth = truth,
    city = factor(c("A", "B", "B"))[rows %/% 3 %% 3 + 1],
    label = factor(classes[max.col(probs)], levels = classes),
    prob = apply(probs, 1, max),
    stats::setNames(as.data.frame(probs), paste0("prob_", classes)),
    error = NA_character_
  )
}

fake_evaluate <- function() {
  fake_verb(function(arguments) fake_findings(list(metrics = data.frame(n = 1)))) # nolint: object_usage_linter.
}

test_that("predictions are sent with all that Arrow holds", {
  verb <- fake_evaluate()
  local_fake_python(evaluate_predictions = verb)
  predictions <- compared(6)
  predictions$words <- as.list(1:6)
  predictions$shape <- matrix(0, 6, 2)
  evaluate_predictions(predictions, "truth", by = c(x = "city"), replicates = 0)
  sent <- verb$calls()[[1]]
  expect_identical(sent$predictions$prob, predictions$prob)
  expect_true(all(is.na(sent$predictions[c("words", "shape")])))
  expect_identical(sent$truth, "truth")
  expect_identical(sent$by, "city")
  expect_identical(sent$replicates, 0L)
})

test_that("truth is a column, columns, or a table", {
  verb <- fake_evaluate()
  local_fake_python(evaluate_predictions = verb)
  evaluate_predictions(compared(6), c("truth", "city"))
  evaluate_predictions("predictions.csv", data.frame(image = "1.jpg", label = factor("cat")), coders = c("a", "b"))
  sent <- verb$calls()
  expect_identical(sent[[1]]$truth, list("truth", "city"))
  expect_identical(sent[[2]]$predictions, "predictions.csv")
  expect_identical(as.character(sent[[2]]$truth$label), "cat")
  expect_identical(sent[[2]]$coders, c("a", "b"))
})

test_that("what is no table or truth is an error", {
  local_fake_python(evaluate_predictions = fake_evaluate())
  expect_snapshot(error = TRUE, evaluate_predictions(1:3, "truth"))
  expect_snapshot(error = TRUE, evaluate_predictions(compared(3), NULL))
  expect_snapshot(error = TRUE, evaluate_predictions(compared(3), mean))
})

estimates <- function(found, class = NA) {
  rows <- found$metrics[found$metrics$class %in% class, ]
  stats::setNames(rows$estimate, rows$metric)
}

# The definitions of yardstick's metrics with estimator = "macro", reckoned here.
test_that("metrics of classes are what they are defined as", {
  skip_without_python()
  p <- compared()
  found <- suppressWarnings(evaluate_predictions(p, "truth", replicates = 50))
  whole <- estimates(found)
  counts <- table(factor(p$truth, levels(p$label)), p$label)
  n <- sum(counts)
  recall <- diag(counts) / rowSums(counts)
  precision <- diag(counts) / colSums(counts)
  f1 <- 2 * precision * recall / (precision + recall)
  expect_equal(whole[["accuracy"]], sum(diag(counts)) / n)
  expect_equal(whole[["balanced_accuracy"]], mean(recall))
  expect_equal(whole[["macro_precision"]], mean(precision))
  expect_equal(whole[["macro_recall"]], mean(recall))
  expect_equal(whole[["macro_f1"]], mean(f1))
  chance <- sum(rowSums(counts) * colSums(counts)) / n^2
  expect_equal(whole[["kappa"]], (sum(diag(counts)) / n - chance) / (1 - chance))
  dog <- estimates(found, "dog")
  expect_equal(unname(dog[c("precision", "recall", "f1")]), c(precision[["dog"]], recall[["dog"]], f1[["dog"]]))

  probs <- as.matrix(p[paste0("prob_", levels(p$label))])
  is_class <- outer(p$truth, levels(p$label), "==")
  expect_equal(whole[["log_loss"]], -mean(log(probs[is_class])))
  # Brier (1950): the sum over the classes.
  expect_equal(whole[["brier"]], mean(rowSums((probs - is_class)^2)))
  # The area under the ROC curve is Mann and Whitney's: the share of pairs that are in the right order.
  ranked <- stats::wilcox.test(probs[is_class[, 2], 2], probs[!is_class[, 2], 2], exact = FALSE)$statistic
  expect_equal(dog[["roc_auc"]], unname(ranked) / sum(is_class[, 2]) / sum(!is_class[, 2]))
})

test_that("intervals of shares are Wilson's, as prop.test() has them", {
  skip_without_python()
  p <- compared()
  found <- suppressWarnings(evaluate_predictions(p, "truth", conf_level = 0.9, replicates = 0))
  row <- found$metrics[found$metrics$metric == "accuracy" & is.na(found$metrics$class), ]
  wilson <- stats::prop.test(sum(p$label == p$truth), nrow(p), conf.level = 0.9, correct = FALSE)$conf.int
  expect_equal(c(row$conf_low, row$conf_high), as.numeric(wilson))
  expect_identical(row$interval, "Wilson")
})

test_that("predictions out of fold keep their intervals", {
  skip_without_python()
  p <- transform(compared(), fold = rep(1:5, length.out = nrow(compared())), `repeat` = 1L, check.names = FALSE)
  accuracy <- function(p) {
    found <- suppressWarnings(evaluate_predictions(p, "truth", replicates = 100))
    found$metrics[found$metrics$metric == "accuracy" & is.na(found$metrics$class), ]
  }
  p$group <- seq_len(nrow(p))
  row <- accuracy(p)
  wilson <- stats::prop.test(row$estimate * nrow(p) / 2.25, nrow(p) / 2.25, correct = FALSE)$conf.int
  expect_equal(c(row$conf_low, row$conf_high), as.numeric(wilson))
  expect_identical(row$interval, "Wilson across folds")
  p$group <- seq_len(nrow(p)) %% 10
  expect_identical(accuracy(p)$interval, "cluster bootstrap across folds")
})

test_that("metrics of scores are what they are defined as", {
  skip_without_python()
  truth <- sin(1:60)
  score <- truth + cos(1:60 * 3) / 2
  found <- suppressWarnings(evaluate_predictions(data.frame(truth, score_calm = score), "truth", replicates = 20))
  calm <- estimates(found, "calm")
  expect_equal(calm[["r2"]], 1 - sum((truth - score)^2) / sum((truth - mean(truth))^2))
  expect_equal(calm[["mae"]], mean(abs(truth - score)))
  expect_equal(calm[["rmse"]], sqrt(mean((truth - score)^2)))
  expect_equal(calm[["correlation"]], stats::cor(truth, score))
})

test_that("column, vector, factor and table of truth are the same truth", {
  skip_without_python()
  p <- compared()
  by_column <- suppressWarnings(evaluate_predictions(p, "truth", replicates = 10))
  rest <- p[setdiff(names(p), "truth")]
  table <- data.frame(image = rev(p$image), hand = factor(rev(p$truth)))
  others <- suppressWarnings(list(
    evaluate_predictions(rest, p$truth, replicates = 10),
    evaluate_predictions(rest, factor(p$truth), replicates = 10),
    evaluate_predictions(rest, table, label_col = "hand", replicates = 10)
  ))
  for (other in others) {
    expect_identical(other$metrics, by_column$metrics)
  }
})

test_that("the levels of predicted labels are the classes, also those that nothing has", {
  skip_without_python()
  p <- compared()
  p$label <- factor(p$label, c("cat", "dog", "fox", "never"))
  found <- suppressWarnings(evaluate_predictions(p[c("image", "truth", "label")], "truth", replicates = 0))
  expect_identical(found$facts$classes, c("cat", "dog", "fox", "never"))
})

test_that("a missing truth is no class", {
  skip_without_python()
  p <- compared()
  p$truth[1:5] <- NA
  found <- suppressWarnings(evaluate_predictions(p[names(p) != "truth"], p$truth, replicates = 0))
  expect_identical(found$facts$n, 85L)
  expect_identical(found$facts$n_unlabelled, 5L)
  expect_identical(found$facts$classes, c("cat", "dog", "fox"))
})

test_that("groups are measured one by one", {
  skip_without_python()
  p <- compared()
  found <- suppressWarnings(evaluate_predictions(p, "truth", by = "city", replicates = 10))
  accuracy <- found$groups[found$groups$metric == "accuracy" & is.na(found$groups$class), ]
  expected <- tapply(p$label == p$truth, p$city, mean)
  expect_equal(accuracy$estimate[match(names(expected), accuracy$group)], as.numeric(expected))
})

test_that("errors of an evaluation have their class and their text", {
  skip_without_python()
  p <- compared(30)
  expect_error(
    evaluate_predictions(p, data.frame(image = "z.jpg", label = "cat")),
    class = "imagesasdata_keys_invalid"
  )
  expect_snapshot(error = TRUE, {
    evaluate_predictions(p, "hand")
    evaluate_predictions(p, p$truth[-1])
    evaluate_predictions(p, "truth", by = "town")
  })
})

test_that("with coders of scores there is what their agreement allows", {
  skip_without_python()
  truth <- rep(c(2, 5, 8), 10)
  coded <- data.frame(image = rep(sprintf("%d.jpg", 1:30), each = 3), coder = c("Ann", "Ben", "Cem"))
  coded$fear <- rep(truth, each = 3) + rep(c(-1, 0, 1, 1, -1, 0), 15)
  predictions <- data.frame(image = sprintf("%d.jpg", 1:30), score_fear = truth)
  found <- suppressWarnings(
    evaluate_predictions(predictions, coded, label_col = "fear", coders = "coder", replicates = 50)
  )
  best <- found$ceilings$estimate[found$ceilings$metric == "best_r2"]
  # ICC(3, 3) by an analysis of variance; R2 has n below where that has n - 1.
  table <- summary(stats::aov(fear ~ factor(image) + coder, coded))[[1]]
  icc <- 1 - table["Residuals", "Mean Sq"] / table["factor(image)", "Mean Sq"]
  expect_equal(1 - (1 - best) * 29 / 30, icc)
  expect_equal(found$facts$ceiling_r2, best)
})
