#!/usr/bin/env bash
# Each way to get the Python package into R, as docs/install.md has them, in fresh environments: a managed one (uv) from a
# checkout, a wheel and a Git address, one of its own, and one without the package index. Each ends with a photograph.
#   UV=/path/to/uv   the uv to use; without it, one is installed with pip
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
work=$(mktemp -d "$CACHE/install.XXXXXX")
trap 'rm -rf "$work"' EXIT
python=$VENV/bin/python
LOG_LINES=40

# uv does not read pip's settings, and the empty home below hides the user's: hand on the index, the extra places and the
# certificates that pip uses here.
setting() { "$python" -m pip config list | sed -n "s/^\(global\|install\|:env:\)\.$1='\(.*\)'\$/\2/p" | tail -n 1; }
index=$(setting index-url) extra=$(setting extra-index-url) links=$(setting find-links) cert=$(setting cert)
[ -z "$index" ] || export PIP_INDEX_URL=$index UV_DEFAULT_INDEX=$index
[ -z "$extra" ] || export PIP_EXTRA_INDEX_URL=$extra UV_INDEX=$extra UV_INDEX_STRATEGY=unsafe-best-match
[ -z "$links" ] || export PIP_FIND_LINKS=$links UV_FIND_LINKS=$links
[ -z "$cert" ] || export PIP_CERT=$cert SSL_CERT_FILE=$cert

# An installation like a newcomer's: an empty home, no Python chosen, and caches that the routes share.
mkdir -p "$work"/{home,cache,wheels,uv-python}
unset RETICULATE_PYTHON
export HOME=$work/home WORKON_HOME=$work/envs R_USER_CACHE_DIR=$work/cache UV_CACHE_DIR=$work/cache/uv
export XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/cache IMAGESASDATA_CACHE=$work/cache/imagesasdata

# classify R-CODE: draws a picture, runs the code before the package is attached, and checks the row.
classify() {
  (cd "$work/home" && Rscript --vanilla -e "$1" -e '
    photo <- tempfile(fileext = ".png")
    grDevices::png(photo, 320, 240)
    graphics::image(datasets::volcano)
    invisible(grDevices::dev.off())
    library(imagesasdata)
    row <- classify_images(photo, progress = FALSE)
    stopifnot(nrow(row) == 1, is.na(row$error), is.factor(row$label), nlevels(row$label) == 1000, row$prob > 0, row$prob <= 1)
    config <- reticulate::py_config()
    cat(sprintf("%s, %.3f, by %s\n", row$label, row$prob, config$python))
    expected <- Sys.getenv("EXPECTED_PYTHON")
    stopifnot(startsWith(normalizePath(dirname(config$python)), normalizePath(expected)))')
}

heading "Ways to install"
if [ -z "${UV:-}" ]; then
  # Before 1.44 reticulate needs an environment that uv deletes since its version 0.8.
  uv=$(Rscript --vanilla -e 'cat(if (packageVersion("reticulate") < "1.44") "uv<0.8" else "uv")')
  step "installing $uv" bash -c "'$python' -m venv '$work/uv' && '$work/uv/bin/python' -m pip install --quiet '$uv'"
  UV=$work/uv/bin/uv
fi
export RETICULATE_UV=$UV

# reticulate wants a Python that uv has downloaded. Where that cannot be had, this Python is put in its place.
version=$("$python" -c 'import platform; print(platform.python_version())')
managed='invisible()'
if ! UV_PYTHON_INSTALL_DIR=$work/uv-python timeout 120 "$UV" python install --quiet 3.12 >"$LOGS/uv-python.log" 2>&1; then
  say "  note: uv could not download a Python (${LOGS#"$ROOT"/}/uv-python.log); it gets Python $version of this machine instead"
  platform=$("$python" -c 'import platform; print(platform.system().lower(), platform.machine(), sep="-")')
  place=$work/uv-python/cpython-$version-$platform-gnu
  mkdir "$place" # uv passes over a folder that is a link
  ln -s "$("$python" -c 'import sys; print(sys.base_prefix)')"/* "$place/"
  managed="reticulate::py_require(python_version = '$version')"
fi
export UV_PYTHON_INSTALL_DIR=$work/uv-python

step "building a wheel" "$python" -m pip wheel --quiet --no-deps --wheel-dir "$work/wheels" "$ROOT"
wheel=$(echo "$work"/wheels/imagesasdata-*.whl)

export EXPECTED_PYTHON=$work/cache
step "managed, from a checkout" classify "$managed; options(imagesasdata.source = '$ROOT')"
step "managed, from a wheel" classify "$managed; options(imagesasdata.source = '$wheel')"
step "managed, from a Git address" classify "$managed; options(imagesasdata.source = 'git+file://$ROOT')"

export EXPECTED_PYTHON=$work/envs/r-imagesasdata
step "own environment: install_imagesasdata()" Rscript --vanilla -e "imagesasdata::install_imagesasdata(source = '$wheel')"
step "own environment, found by its name" classify "invisible()"
step "own environment: the same call again, as an update" Rscript --vanilla -e "imagesasdata::install_imagesasdata(source = '$ROOT')"
step "own environment, after the update" classify "invisible()"

step "without the index: downloading the wheels" "$python" -m pip download --quiet --dest "$work/wheels" "$wheel"
step "without the index: installing them" bash -c "
  '$python' -m venv '$work/offline' &&
  PIP_CONFIG_FILE=/dev/null '$work/offline/bin/python' -m pip install --quiet --no-index --find-links '$work/wheels' imagesasdata"
export EXPECTED_PYTHON=$work/offline RETICULATE_PYTHON=$work/offline/bin/python
step "without the index: RETICULATE_PYTHON" classify "invisible()"
