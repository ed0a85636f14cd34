#!/usr/bin/env bash
# Rows to R, by Arrow and by reticulate from pandas:  make bench-to-r  or  tools/bench.sh to_r [rows] [repetitions]
# reticulate 1.41 does not know the classes of pandas 3, so its conversion gets pandas 2, installed for it alone.
set -euo pipefail
cd "$(dirname "$0")/.."
pandas=$PWD/.cache/benchmarks/pandas2
if [ ! -d "$pandas" ]; then
  echo "Installing pandas 2 for the comparison..."
  .venv/bin/python -m pip install -q --no-deps --target "$pandas" 'pandas<3' pytz
fi
PYTHONPATH=$pandas exec Rscript --vanilla benchmarks/to_r_timing.R "$@"
