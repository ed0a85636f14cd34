#!/usr/bin/env bash
# Style of the Python and R code, types of the Python code; lintr and shellcheck too where they are installed.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
heading "Style and types"
good=yes
# All of them run, so that one run shows all that is wrong.
check() { step "$@" || good=no; }
check "ruff check" "$VENV/bin/ruff" check .
check "ruff format --check" "$VENV/bin/ruff" format --check .
check "mypy --strict" "$VENV/bin/mypy"
check "air format --check" "$VENV/bin/air" format --check rpkg
if command -v shellcheck >/dev/null; then
  check "shellcheck" shellcheck -x -P SCRIPTDIR tools/*.sh demo/*.sh .ci/run
fi
if Rscript --vanilla -e 'quit(status = !requireNamespace("lintr", quietly = TRUE))' >/dev/null 2>&1; then
  check "lintr" Rscript --vanilla -e 'found <- lintr::lint_package("rpkg"); print(found); quit(status = length(found) > 0)'
fi
[ $good = yes ]
