# The demo's R half: the same call, an R data frame.
library(imagesasdata)

predictions <- classify_images("photos", progress = FALSE)

print(predictions, n = Inf)
write.csv(predictions, "r.csv", row.names = FALSE)
