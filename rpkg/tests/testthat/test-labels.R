coded <- data.frame(
  photo = rep(c("a.jpg", "b.jpg", "c.jpg", "d.jpg"), each = 2),
  who = factor(c("Ann", "Ben")),
  label = factor(c("x", "x", "y", "x", "y", "y", "x", "x"), levels = c("y", "x")),
  sharp = c(TRUE, NA),
  when = as.Date("2020-06-01") + 0:7
)
coded$words <- as.list(1:8)

# nolint start: object_usage_linter. They are in helper-fake.R and helper-findings.R.
fake_agreement <- function() {
  fake_verb(function(arguments) {
    fake_findings(list(metrics = data.frame(n = 1)), kind = "agreement")
  })
}
# nolint end

test_that("of a data frame the named columns are sent, factors as text, and the names of the others", {
  verb <- fake_agreement()
  local_fake_python(coder_agreement = verb)
  coder_agreement(coded, image_col = "photo", label_col = c("label", "sharp"), coders = "who", seed = 2)
  sent <- verb$calls()[[1]]
  expect_named(sent$labels, names(coded))
  expect_identical(sent$labels$label, as.character(coded$label))
  expect_identical(sent$labels$who, as.character(coded$who))
  expect_identical(sent$labels$sharp, coded$sharp)
  expect_true(all(is.na(sent$labels[c("when", "words")])))
  expect_identical(sent$label_col, c("label", "sharp"))
  expect_identical(sent$coders, "who")
  expect_identical(sent[c("seed", "replicates")], list(seed = 2L, replicates = 1000L))
})

test_that("numbers with labels, as haven reads them, are text with these labels", {
  column <- structure(c(1, 0, NA), labels = c(no = 0, yes = 1), class = c("haven_labelled", "vctrs_vctr", "double"))
  expect_identical(plain_column(column), c("yes", "no", NA))
  attr(column, "labels") <- c(no = 0)
  expect_identical(plain_column(column), c(1, 0, NA))
})

test_that("a path is sent as it is, and what is no table is an error", {
  verb <- fake_agreement()
  local_fake_python(coder_agreement = verb)
  coder_agreement("coded.csv")
  expect_identical(verb$calls()[[1]]$labels, "coded.csv")
  expect_snapshot(error = TRUE, coder_agreement(c("a.csv", "b.csv")))
  expect_snapshot(error = TRUE, coder_agreement(coded, label_col = "words"))
})

test_that("the rows that are drawn are the caller's own", {
  verb <- fake_verb(function(arguments) {
    drawn <- arguments$pool[c(2, 5), ]
    drawn$inclusion_prob <- c(0.5, 0.25)
    structure(drawn, provenance = '{"verb": "sample_images"}')
  })
  local_fake_python(sample_images = verb)
  pool <- structure(coded, imagesasdata = list(model = "fake"))
  drawn <- sample_images(pool, 2, strata = "label", image_col = "photo", progress = FALSE)
  sent <- verb$calls()[[1]]
  expect_identical(sent$n, 2L)
  expect_identical(sent$pool$label, as.character(pool$label))
  expect_identical(sent$pool$photo, pool$photo)
  expect_named(drawn, c(names(pool), "inclusion_prob"))
  expect_identical(lapply(drawn[names(pool)], identity), lapply(coded[c(2, 5), ], identity))
  expect_identical(attr(drawn, "imagesasdata"), list(model = "fake", verb = "sample_images"))
})

test_that("where every column is needed the row numbers have one of their own", {
  verb <- fake_verb(function(arguments) cbind(arguments$pool[3, ], inclusion_prob = 1))
  local_fake_python(sample_images = verb)
  pool <- data.frame(photo = c("a.jpg", "b.jpg", "c.jpg"), prob = 1:3 / 4, prob_x = 0.5)
  drawn <- sample_images(pool, 1, image_col = "photo", progress = FALSE)
  expect_equal(as.data.frame(drawn), cbind(pool[3, ], inclusion_prob = 1), ignore_attr = TRUE)
})

test_that("paths, numbers by stratum and what was coded before are sent as Python wants them", {
  verb <- fake_verb(function(arguments) data.frame(image = "a.jpg", inclusion_prob = 1))
  local_fake_python(sample_images = verb)
  sample_images(c("a.jpg", "b.jpg"), 1, labelled = c("b.jpg", NA, "c.jpg"), progress = FALSE)
  sample_images("photos", c(north = 2, south = 1), labelled = factor("coded.csv"), progress = FALSE)
  sample_images("photos", 1, labelled = data.frame(image = factor("a.jpg"), x = 1), progress = FALSE)
  sent <- verb$calls()
  expect_identical(sent[[1]]$pool, data.frame(image = c("a.jpg", "b.jpg")))
  expect_identical(sent[[1]]$labelled, list("b.jpg", "c.jpg"))
  expect_identical(sent[[2]]$pool, "photos")
  expect_identical(sent[[2]]$n, list(north = 2L, south = 1L))
  expect_identical(sent[[2]]$labelled, "coded.csv")
  expect_identical(sent[[3]]$labelled, data.frame(image = "a.jpg", x = NA))
  expect_snapshot(error = TRUE, sample_images("photos", 1, labelled = 7))
})

test_that("pairs of duplicates are a table of their own", {
  verb <- fake_verb(function(arguments) data.frame(image_a = "a.jpg", image_b = "b.jpg", correlation = 0.9))
  local_fake_python(find_duplicates = verb)
  pairs <- find_duplicates(coded[c("photo", "label")], image_col = "photo", progress = FALSE)
  expect_named(pairs, c("image_a", "image_b", "correlation"))
  expect_identical(verb$calls()[[1]]$images$photo, coded$photo)
})

# Krippendorff, K. (2011). Computing Krippendorff's Alpha-Reliability, section C: four observers, twelve units.
reliability <- data.frame(
  image = 1:12,
  a = c(1, 2, 3, 3, 2, 1, 4, 1, 2, NA, NA, NA),
  b = c(1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NA, 3),
  c = c(NA, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NA),
  d = c(1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NA)
)

test_that("alpha is that of Krippendorff's own example, for every scale", {
  skip_without_python()
  alpha <- function(data, scale) {
    found <- suppressWarnings(coder_agreement(data, coders = letters[1:4], scale = scale, replicates = 20))
    found$metrics$estimate[found$metrics$metric == "krippendorff_alpha"]
  }
  expect_equal(round(alpha(reliability, "nominal"), 3), 0.743)
  expect_equal(round(alpha(reliability, "ordinal"), 3), 0.815)
  expect_equal(round(alpha(reliability, "interval"), 3), 0.849)
  # An ordered factor has an order that its text does not have.
  words <- c("one", "two", "three", "four", "five")
  in_words <- cbind(reliability["image"], lapply(reliability[-1], factor, 1:5, words, ordered = TRUE))
  expect_equal(alpha(in_words, "ordinal"), alpha(reliability, "ordinal"))
})

test_that("kappa is what Cohen defined", {
  skip_without_python()
  # Cohen, J. (1960): observed against expected agreement of two coders.
  long <- data.frame(
    image = rep(1:40, each = 2),
    coder = c("Ann", "Ben"),
    label = c("x", "y", "z")[c(rep(c(1, 1, 2, 2, 3, 3, 1, 2, 2, 2), 6), rep(c(3, 2, 1, 1), 5))]
  )
  found <- coder_agreement(long, replicates = 20)
  crossed <- table(long$label[long$coder == "Ann"], long$label[long$coder == "Ben"]) / 40
  expected <- sum(rowSums(crossed) * colSums(crossed))
  kappa <- (sum(diag(crossed)) - expected) / (1 - expected)
  expect_equal(found$metrics$estimate[found$metrics$metric == "cohen_kappa"], kappa)
  expect_equal(found$metrics$estimate[found$metrics$metric == "percent_agreement"], sum(diag(crossed)))
})

test_that("errors of labels have their class and their text", {
  skip_without_python()
  alone <- coded[coded$who == "Ann", ]
  expect_error(coder_agreement(alone, "photo", coders = "who"), class = "imagesasdata_labels_invalid")
  expect_snapshot(error = TRUE, {
    coder_agreement(coded, coders = "who")
    coder_agreement(coded, "photo")
    coder_agreement(coded, "photo", coders = "who", conf_level = 95)
    sample_images(coded, 9, image_col = "photo")
    sample_images(coded, 1, image_col = "path")
  })
})

test_that("probabilities of a sample add up, and a seed draws the same again", {
  skip_without_python()
  pool <- data.frame(photo = sprintf("%d.jpg", 1:100), city = factor(rep(c("A", "B"), c(90, 10))))
  drawn <- sample_images(pool, 30, "stratified", strata = "city", image_col = "photo")
  expect_identical(levels(drawn$city), c("A", "B"))
  expect_equal(drawn$inclusion_prob, ifelse(drawn$city == "A", 20 / 90, 1))
  # Horvitz and Thompson (1952): weighted by one over the probability, a sample of strata has the size of the pool.
  expect_equal(sum(1 / drawn$inclusion_prob), 100)
  expect_identical(sample_images(pool, 30, "stratified", strata = "city", image_col = "photo")$photo, drawn$photo)
  rest <- sample_images(pool, 70, image_col = "photo", labelled = drawn)
  expect_identical(sort(c(rest$photo, drawn$photo)), sort(pool$photo))
})

test_that("a copy is found, whatever its size", {
  skip_without_python()
  posts <- drawn_posts()
  copy <- file.path(dirname(posts$photo[[1]]), "copy.png")
  grDevices::png(copy, width = 120, height = 100)
  graphics::par(mar = rep(0, 4))
  graphics::image(datasets::volcano, col = grDevices::hcl.colors(12, "viridis"))
  grDevices::dev.off()
  pairs <- find_duplicates(c(posts$photo, copy), progress = FALSE)
  expect_true(any(pairs$image_a == posts$photo[[1]] & pairs$image_b == copy))
  expect_named(pairs, c("image_a", "image_b", "correlation", "hash_distance", "similarity"))
})
