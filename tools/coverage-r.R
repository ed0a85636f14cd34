# Run the tests of an R package in a copy that counts, and print the share of lines that ran, of each file and of all:
#   Rscript --vanilla coverage-r.R PACKAGE LIBRARY NAME LEAST
# The lines that did not run are written to .cache/reports/coverage-NAME.csv. The status is 1 where the share is below LEAST.
arguments <- commandArgs(TRUE)
tests <- normalizePath(file.path(arguments[1], "tests", "testthat"))
Sys.setenv(NOT_CRAN = "true")

run <- sprintf(
  'testthat::test_dir(%s, package = "imagesasdata", load_package = "installed", reporter = "check")', deparse(tests)
)
library <- file.path(arguments[2], arguments[3])

covered <- covr::package_coverage(
  arguments[1], type = "none", code = run, install_path = library, quiet = TRUE, clean = FALSE
)
lines <- covr::tally_coverage(covered, by = "line")
lines$filename <- basename(lines$filename)
shares <- 100 * tapply(lines$value > 0, lines$filename, mean)
shares <- shares[order(shares, names(shares))]
all <- 100 * mean(lines$value > 0)

not_run <- lines[lines$value == 0, c("filename", "line")]
report <- file.path(Sys.getenv("TMPDIR"), "..", "reports", sprintf("coverage-%s.csv", arguments[3]))
utils::write.csv(not_run, report, row.names = FALSE)
cat(sprintf("  %-26s %5.1f %%\n", names(shares), shares), sep = "")
cat(sprintf("  %-26s %5.1f %% of %d lines\n", "all", all, nrow(lines)))
quit(status = as.integer(all < as.numeric(arguments[4])))
