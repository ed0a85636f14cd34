library(imagesasdata)
for (t in c("coder_agreement","sample_images","find_duplicates","evaluate_predictions","imagesasdata_findings","autoplot.imagesasdata_findings","saliency_map")) { cat("#####", t, "\n"); print(system.time(example(t, package="imagesasdata", character.only=TRUE, echo=FALSE, ask=FALSE))) }
