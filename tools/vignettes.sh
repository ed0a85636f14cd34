#!/usr/bin/env bash
# Build the articles in vignettes/ into build/vignettes. Their intermediate files stay out of the source folder.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
export PATH=$VENV/bin:$PATH
mkdir -p build/vignettes
heading "Articles"
for article in vignettes/*.Rmd; do
  step "$(basename "$article")" Rscript --vanilla -e 'a <- commandArgs(TRUE)
    rmarkdown::render(a[1], output_dir = "build/vignettes", intermediates_dir = tempfile(), quiet = TRUE)' "$article"
done
