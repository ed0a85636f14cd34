#!/usr/bin/env bash
# Style and types of the Python code; the shell scripts too where shellcheck is installed.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
heading "Style and types"
step "ruff check" "$VENV/bin/ruff" check .
step "ruff format --check" "$VENV/bin/ruff" format --check .
step "mypy --strict" "$VENV/bin/mypy"
if command -v shellcheck >/dev/null; then
  step "shellcheck" shellcheck -x -P SCRIPTDIR tools/*.sh demo/*.sh .ci/run
fi
if Rscript --vanilla -e 'quit(status = !requireNamespace("lintr", quietly = TRUE))' >/dev/null 2>&1; then
  step "lintr" Rscript --vanilla -e 'found <- lintr::lint_package("rpkg"); print(found); quit(status = length(found) > 0)'
fi
