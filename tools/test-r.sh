#!/usr/bin/env bash
# The R tests, twice: as on a computer without Python, where only the tests that need Python may skip, and with it.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
if [ ! -d .r-lib/imagesasdata ] || ! command -v Rscript >/dev/null; then
  heading "R tests: left out, because R or its packages are missing; \`make setup-r\` says what and how"
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
rm -f "$REPORTS"/testthat-*.csv

rc=0
heading "R tests, without Python"
RETICULATE_PYTHON=$CACHE/no-python-here Rscript --vanilla tools/test-r.R rpkg/tests/testthat \
  "$REPORTS/testthat-without-python.csv" || rc=1

heading "R tests, with Python"
Rscript --vanilla tools/test-r.R rpkg/tests/testthat "$REPORTS/testthat-with-python.csv" || rc=1
exit $rc
