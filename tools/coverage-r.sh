#!/usr/bin/env bash
# How much of rpkg/R the R tests run, line by line: as on a computer without Python, and with it. Fails below LEAST percent
# with Python.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
least=${LEAST:-90}
Rscript --vanilla -e 'quit(status = !requireNamespace("covr", quietly = TRUE))' >/dev/null 2>&1 ||
  fail "The R package covr is needed. As root: apt-get install r-cran-covr"

# covr installs a copy of the package that counts; it must not become the one in .r-lib.
library=$(mktemp -d)
trap 'rm -rf "$library"' EXIT
measure() { Rscript --vanilla tools/coverage-r.R rpkg "$library" "$1" "$2"; }

heading "Coverage of rpkg/R, without Python"
RETICULATE_PYTHON=$CACHE/no-python-here measure without-python 0
heading "Coverage of rpkg/R, with Python"
IMAGESASDATA_TEST_PYTHON=true measure with-python "$least"
