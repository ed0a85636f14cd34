#!/usr/bin/env bash
# Run one benchmark: bench.sh NAME [arguments] runs benchmarks/NAME.py, NAME.R or NAME.sh with this project's Python and R.
set -euo pipefail
. "$(dirname "$0")/env.sh"
name=$1
shift
cd "$ROOT"
export PATH=$VENV/bin:$PATH
for run in "python benchmarks/$name.py" "Rscript --vanilla benchmarks/$name.R" "bash benchmarks/$name.sh"; do
  # shellcheck disable=SC2086  # command and file are two words
  [ ! -e "${run##* }" ] || exec $run "$@"
done
fail "there is no benchmark called $name in benchmarks/"
