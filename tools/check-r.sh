#!/usr/bin/env bash
# R CMD build and R CMD check of rpkg/; a warning fails it, notes are shown. The tests ran already (tools/test-r.sh).
set -euo pipefail
. "$(dirname "$0")/env.sh"
check=$CACHE/check
rm -rf "$check"
mkdir -p "$check"
cd "$check"

heading "R CMD check"
step "R CMD build" R CMD build "$ROOT/rpkg"
# A suggested package that this Debian does not have is no error; and nothing is asked of the network.
export _R_CHECK_FORCE_SUGGESTS_=false _R_CHECK_CRAN_INCOMING_=false _R_CHECK_SYSTEM_CLOCK_=false
step "R CMD check" R CMD check --no-manual --no-tests imagesasdata_*.tar.gz
grep -E '(NOTE|WARNING|ERROR)$' -A 12 imagesasdata.Rcheck/00check.log | grep -v -E 'OK$' || true
tail -n 3 imagesasdata.Rcheck/00check.log | grep '^Status'
if grep -q '^Status:.*\(WARNING\|ERROR\)' imagesasdata.Rcheck/00check.log; then exit 1; fi

# The declaration at the top must never become an empty package that hides the real one: without the real one it must not
# install at all.
mkdir lib
if R_LIBS='' R_LIBS_USER=$check/lib R CMD INSTALL --library=lib "$ROOT" >"$LOGS/install-compendium.log" 2>&1; then
  fail "the DESCRIPTION at the top installs as a package, and must not"
fi
