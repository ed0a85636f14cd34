"""Regressions on variables that were predicted, with the error of the predictions corrected."""
