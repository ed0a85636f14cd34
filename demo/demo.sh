#!/usr/bin/env bash
# Classify the same photographs from the shell, from Python and from R, and show that the answers are equal.
set -euo pipefail
. "$(dirname "$0")/../tools/env.sh"
demo=$ROOT/demo
out=$ROOT/build/demo
rm -rf "$out"
mkdir -p "$out"
cd "$out"
PATH=$VENV/bin:$PATH
results=(shell.parquet shell.csv python.parquet)

heading "Photographs"
python "$demo/photographs.py" photos

heading "Shell:  iad classify photos --out shell.parquet"
iad classify photos --out shell.parquet
iad classify photos --out shell.csv >"$LOGS/demo-csv.log" 2>&1 || { cat "$LOGS/demo-csv.log"; exit 1; }

heading "Python: classify_images(\"photos\")"
python "$demo/demo.py"

if [ -d "$ROOT/.r-lib/imagesasdata" ] && command -v Rscript >/dev/null; then
  heading "R:      classify_images(\"photos\")"
  Rscript --vanilla "$demo/demo.R"
  results+=(r.csv)
else
  heading "R:      left out, because R or its packages are missing; \`make setup-r\` says what and how"
fi

heading "The same answers everywhere?"
python "$demo/compare.py" "${results[@]}"
say "
Everything is in build/demo/."
