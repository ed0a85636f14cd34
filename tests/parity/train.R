# Train, cross-validate and classify in R, and write what came out:  Rscript train.R FOLDER MODEL.onnx ANSWER.json
files <- commandArgs(TRUE)
library(imagesasdata)
model <- fine_tune(files[1], method = "head", out = files[2], progress = FALSE)
table <- classify_images(files[1], model = model, progress = FALSE)
again <- evaluate_predictions(model$validation$predictions, "truth")
answer <- list(
  metrics = model$validation$metrics, evaluated = again$metrics, prob = table$prob, lines = model$validation$lines,
  duplicates = nrow(find_duplicates(files[1], progress = FALSE)),
  sampled = sample_images(files[1], n = 7, seed = 3)$image
)
json <- jsonlite::toJSON(answer, digits = NA, na = "null", dataframe = "columns")
writeLines(enc2utf8(json), files[3], useBytes = TRUE)
