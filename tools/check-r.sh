#!/usr/bin/env bash
# R CMD build of rpkg/ with the articles, as its tarball is given to people, and R CMD check --as-cran of that; a warning
# fails it, notes are shown. The tests ran already (tools/test-r.sh), and `R CMD build` has just run the articles.
set -euo pipefail
. "$(dirname "$0")/env.sh"
check=$CACHE/check
rm -rf "$check"
mkdir -p "$check"
cd "$check"

heading "R CMD check"
# qpdf would look at the sizes of PDFs, of which the package has none.
command -v qpdf >/dev/null || export R_QPDF=true
export PATH=$VENV/bin:$PATH
mkdir source
cp -R "$ROOT/rpkg" source/imagesasdata
cp -R "$ROOT/vignettes" source/imagesasdata/vignettes
step "R CMD build, with the articles" R CMD build source/imagesasdata
# A suggested package that this Debian does not have is no error; and nothing is asked of the network.
export _R_CHECK_FORCE_SUGGESTS_=false _R_CHECK_CRAN_INCOMING_=false _R_CHECK_SYSTEM_CLOCK_=false
# Without Python the articles build too, and show no results.
tar xzf imagesasdata_*.tar.gz imagesasdata/inst/doc
for article in imagesasdata/inst/doc/*.html; do
  grep -q '#&gt;' "$article" || fail "$(basename "$article") has no results: Python was not there, or not used"
done
step "R CMD check --as-cran" R CMD check --as-cran --no-manual --no-tests --no-vignettes imagesasdata_*.tar.gz
grep -E '(NOTE|WARNING|ERROR)$' -A 12 imagesasdata.Rcheck/00check.log | grep -v -E 'OK$' || true
tail -n 3 imagesasdata.Rcheck/00check.log | grep '^Status'
if grep -q '^Status:.*\(WARNING\|ERROR\)' imagesasdata.Rcheck/00check.log; then exit 1; fi

# The declaration at the top must never become an empty package that hides the real one: without the real one it must not
# install at all.
mkdir lib
if R_LIBS='' R_LIBS_USER=$check/lib R CMD INSTALL --library=lib "$ROOT" >"$LOGS/install-compendium.log" 2>&1; then
  fail "the DESCRIPTION at the top installs as a package, and must not"
fi
