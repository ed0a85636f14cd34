"""The demo's Python half: one call, a pandas data frame."""

import pandas as pd

import imagesasdata as iad

predictions = iad.classify_images("photos", progress=False)

with pd.option_context("display.width", 100, "display.max_columns", None):
    print(predictions)
predictions.to_parquet("python.parquet")
