#!/usr/bin/env bash
# What calling from R costs:  tools/bench.sh from_r FOLDER [photographs] [repetitions]
set -euo pipefail
cd "$(dirname "$0")/.."
list=$(mktemp)
trap 'rm -f "$list"' EXIT
.venv/bin/python benchmarks/photographs.py "$1" 640 560 "${2:-1000}" >"$list"
Rscript --vanilla benchmarks/from_r_timing.R "$list" "${3:-5}"
