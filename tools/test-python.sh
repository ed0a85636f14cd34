#!/usr/bin/env bash
# The Python tests and the tests that run both languages. Tests that this machine cannot run are left out by their marker, and
# tools/skipped.py sees to it that no other test is skipped. Arguments go to pytest.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
marks=()
"$VENV/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' || marks+=(torch)
{ command -v nvidia-smi && nvidia-smi -L | grep -q GPU; } >/dev/null 2>&1 || marks+=(gpu)
[ -d .r-lib/imagesasdata ] && command -v Rscript >/dev/null || marks+=(r)
expression=$(printf ' and not %s' "${marks[@]}")
expression=${expression# and }

heading "Python tests${marks[*]:+ (left out, for want of it: ${marks[*]})}"
pytest=("$VENV/bin/python" -m pytest -o cache_dir="$CACHE/pytest" ${marks[*]:+-m "$expression"})
if [ $# = 0 ]; then
  rm -f "$REPORTS/pytest.xml"
  : >"$REPORTS/left-out.txt"
  # What is left out is written down, so that the final count does not hide it.
  for mark in "${marks[@]}"; do
    "$VENV/bin/python" -m pytest -o cache_dir="$CACHE/pytest" --collect-only -q -m "$mark" 2>/dev/null |
      { grep '::' || true; } | sed "s/^/$mark /" >>"$REPORTS/left-out.txt" || true
  done
  exec "${pytest[@]}" -q --durations=5 --junit-xml="$REPORTS/pytest.xml"
fi
exec "${pytest[@]}" "$@"
