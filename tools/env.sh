# shellcheck shell=bash
# Sourced by every script: where things are, and that nothing is written outside the project folder.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=$ROOT/.cache
VENV=$ROOT/.venv
# shellcheck disable=SC2034  # read by the scripts that source this file
STAMPS=$CACHE/stamps LOGS=$CACHE/logs REPORTS=$CACHE/reports
mkdir -p "$CACHE"/{stamps,logs,reports,tmp,xdg,imagesasdata} "$ROOT/.r-lib"

# Temporary files and every cache that would otherwise land in the home folder.
export TMPDIR=$CACHE/tmp
export XDG_CACHE_HOME=$CACHE/xdg XDG_DATA_HOME=$CACHE/xdg
export IMAGESASDATA_CACHE=$CACHE/imagesasdata
export PIP_CACHE_DIR=$CACHE/pip UV_CACHE_DIR=$CACHE/uv npm_config_cache=$CACHE/npm
export MPLCONFIGDIR=$CACHE/matplotlib SCIKIT_LEARN_DATA=$CACHE/scikit-learn TORCH_HOME=$CACHE/torch
export MYPY_CACHE_DIR=$CACHE/mypy RUFF_CACHE_DIR=$CACHE/ruff
export R_USER_CACHE_DIR=$CACHE/R R_USER_DATA_DIR=$CACHE/R R_USER_CONFIG_DIR=$CACHE/R

# R packages that are built here, this project's among them, go before the system's.
export R_LIBS=$ROOT/.r-lib R_LIBS_USER=$ROOT/.r-lib
# R finds this Python and no other, and never downloads one; rpy2 is the build without compiled code.
export RETICULATE_PYTHON=$VENV/bin/python RPY2_CFFI_MODE=ABI
# A user's own PYTHONPATH or a foreign environment that happens to be active must not decide what is tested.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 LC_ALL=C.UTF-8
[ "$(uname -s)" = Darwin ] && export LC_ALL=en_US.UTF-8

say() { printf '%s\n' "$*"; }
heading() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed $'s/\033\\[[01]m//g'; fi; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# step "text" command...: one line that says what is done, then the seconds. The output is shown only when it fails.
step() {
  local text=$1 log began=$SECONDS
  shift
  log=$LOGS/$(printf '%s' "$text" | tr -c 'A-Za-z0-9.\n' '-' | cut -c1-60).log
  mkdir -p "$LOGS"
  printf '  %-60s ' "$text"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf '%4d s\n' $((SECONDS - began))
  else
    local rc=$?
    printf '%4d s  failed\n' $((SECONDS - began))
    tail -n "${LOG_LINES:-60}" "$log" | sed 's/^/    | /' >&2
    say "    whole output: ${log#"$ROOT"/}" >&2
    return "$rc"
  fi
}

# fingerprint file-or-folder...: changes when their content does. What does not exist is passed over.
fingerprint() {
  { find "$@" -type f ! -name '*.pyc' 2>/dev/null || true; } | LC_ALL=C sort | while IFS= read -r f; do cksum "$f"; done | cksum | cut -d' ' -f1
}

# A step that is done leaves stamp NAME with the fingerprint it was done for.
is_done() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
mark_done() { printf '%s\n' "$2" >"$STAMPS/$1"; }

can_apt() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -qq "$@" </dev/null; }
apt_candidate() { apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" {print $2}'; }
# Packages lists are read once a day at most; a fresh container has none at all.
apt_update() {
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)" ] && return 0
  step "reading the list of Debian packages" apt_get update
}
apt_install() { # apt_install "text" package...
  local text=$1
  shift
  apt_update
  # A list of this morning may name files that a security update has replaced since.
  step "$text" apt_get install -y --no-install-recommends "$@" ||
    { step "reading the list of Debian packages again" apt_get update &&
      step "$text" apt_get install -y --no-install-recommends "$@"; }
}
