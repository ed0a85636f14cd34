#!/usr/bin/env bash
# The Python half: .venv with the package in development mode and what its tests need.
#   PYTHON=python3.12   the interpreter to use (3.11 or newer)
#   TORCH=1 / TORCH=0   install PyTorch whatever its size / leave it out
set -euo pipefail
. "$(dirname "$0")/env.sh"
TORCH_RELEASE=torch==2.13.0

find_python() {
  local p
  for p in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3}; do
    "$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$p" && return
  done
  fail "Python 3.11 or newer is needed${PYTHON:+, and PYTHON=$PYTHON is not}. Debian: apt-get install python3 python3-venv. macOS: brew install python."
}
python=$(find_python)
version=$("$python" -c 'import platform; print(platform.python_version())')

want=$(fingerprint "$ROOT/pyproject.toml" "$0" "$ROOT/tools/torch_wheel.py")-$version-torch${TORCH:-auto}
if is_done python "$want" && "$VENV/bin/python" -c '' 2>/dev/null; then
  exit 0
fi
heading "Setting up Python $version (.venv)"

# Debian's python3 has no ensurepip until python3-venv is there.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  debian=python${version%.*}-venv
  can_apt || fail "This Python cannot make a virtual environment. As root: apt-get install $debian"
  apt_install "installing $debian with apt" "$debian"
fi

# An environment of another interpreter is made again, not patched.
if [ "$("$VENV/bin/python" -c 'import platform; print(platform.python_version())' 2>/dev/null)" != "$version" ]; then
  rm -rf "$VENV"
  step "making the virtual environment" "$python" -m venv "$VENV"
fi
pip=("$VENV/bin/python" -m pip install --quiet)
# Older pips download a whole wheel to learn its dependencies.
step "bringing pip up to date" "${pip[@]}" 'pip>=24'
step "installing the package and what its tests need" "${pip[@]}" -e "${ROOT}[dev]"

has_torch() { "$VENV/bin/python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'; }
torch=${TORCH:-auto}
if [ "$torch" = auto ] && ! has_torch; then
  [ "$("$VENV/bin/python" "$ROOT/tools/torch_wheel.py" $TORCH_RELEASE 2>"$LOGS/torch-wheel.log" || true)" = cpu ] && torch=1
fi
if has_torch; then
  :
elif [ "$torch" = 1 ]; then
  step "installing PyTorch" "${pip[@]}" $TORCH_RELEASE
elif [ "$torch" = auto ]; then
  say "  torch left out: only a CUDA build of gigabytes is offered here; TORCH=1 installs it"
else
  say "  torch left out, as TORCH=$torch asks"
fi
mark_done python "$want"
