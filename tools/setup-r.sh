#!/usr/bin/env bash
# The R half: R, the packages that the DESCRIPTION files name, and rpy2 in .venv.
# Binaries come from Debian's archive; what is missing there or too old (Debian 12: nanoarrow, reticulate) is built from the
# tarballs of a newer Debian into .r-lib.
#   --optional     without R and a way to install it, say what is missing and succeed
#   SRC_SUITE=...  the Debian release whose tarballs are built (default: trixie)
set -euo pipefail
. "$(dirname "$0")/env.sh"
optional=${1:-}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

descriptions=("$ROOT/rpkg/DESCRIPTION" "$ROOT/DESCRIPTION")
missing() { Rscript --vanilla "$ROOT/tools/r_missing.R" "${descriptions[@]}"; }
give_up() { # give_up "what is missing" "the cure"
  say "  R: $1"
  say "     $2"
  [ "$optional" = --optional ] && exit 0
  exit 1
}
debian_names() { awk '{print "r-cran-" tolower($1)}'; }
# Everything root would install for the package alone, as far as this release has it: one command to copy.
apt_command() {
  local package packages=(r-base-core g++ ${libpython:+"$libpython"})
  for package in $(awk '/^Imports:/ {inside = 1; next} /^[A-Za-z]/ {inside = 0} inside' "${descriptions[0]}" | debian_names); do
    package=${package%,}
    [ -z "$(apt_candidate "$package")" ] || packages+=("$package")
  done
  echo "apt-get install --no-install-recommends ${packages[*]}"
}

# What reticulate needs to load this Python; empty when it is there.
libpython=$("$VENV/bin/python" "$ROOT/tools/libpython.py")
if [ "$libpython" = none ]; then
  say "  note: this Python was built without its shared library, so R cannot load it; PYTHON=... picks another"
  libpython=
fi

begun=no
begin() {
  [ "$begun" = yes ] || heading "Setting up R"
  begun=yes
}

if ! command -v Rscript >/dev/null; then
  can_apt || give_up "it is not installed, so the R half is left out." \
    "$(if command -v apt-get >/dev/null; then echo "As root: $(apt_command)"; else echo "Install it from r-project.org."; fi)
     Then: make setup-r"
  begin
  apt_install "installing R with apt" r-base-core || give_up "apt could not install it." "The lines above say why."
fi

# The mirror this machine already uses.
mirror() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(CODENAME) $(SITE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$1 !~ /-/ && $3 == "main" {print $2; exit}'
}
build_from_source() { # PACKAGE: build the upstream tarball of Debian's r-cran-PACKAGE into .r-lib
  local d options
  d=$(mktemp -d)
  mkdir -p "$d"/{lists/partial,archives/partial,src}
  echo "deb-src [signed-by=$keyring] $(mirror) ${SRC_SUITE:-trixie} main" >"$d/sources.list"
  # Own list file, lists and caches: the machine's own apt state never sees this release.
  options=(-o Dir::Etc::SourceList="$d/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$d/lists" -o Dir::Cache="$d" -o APT::Sandbox::User="$(id -un)")
  # --tar-only: apt checks the tarball against the signed index; the .dsc is not needed.
  apt_get "${options[@]}" update &&
    (cd "$d/src" && apt_get "${options[@]}" source --download-only --tar-only "$(debian_names <<<"$1")") &&
    MAKEFLAGS="-j$(getconf _NPROCESSORS_ONLN)" \
      R CMD INSTALL --no-docs --no-test-load --library="$ROOT/.r-lib" "$d"/src/*.orig.tar.* &&
    rm -rf "$d"
}

need=$(missing)
if [ -n "$need$libpython" ] && can_apt; then
  begin
  apt_update
  packages=()
  for package in $(debian_names <<<"$need"); do
    [ -n "$(apt_candidate "$package")" ] && packages+=("$package")
  done
  [ -z "$libpython" ] || packages+=("$libpython")
  # R Markdown turns articles into pages with pandoc.
  [[ "$need" != *rmarkdown* ]] || packages+=(pandoc)
  [ ${#packages[@]} = 0 ] || apt_install "installing R packages with apt (${#packages[@]} asked for)" "${packages[@]}" ||
    give_up "apt could not install its packages." "The lines above say why."
  need=$(missing)
elif [ -n "$libpython" ]; then
  give_up "Debian's Python needs its shared library before R can load it." "As root: apt-get install $libpython. Then: make setup-r"
fi
required=$(awk '$3 == "required"' <<<"$need")
if [ -n "$required" ] && [ -r "$keyring" ]; then
  begin
  command -v g++ >/dev/null || { can_apt && apt_install "installing a compiler with apt" g++ make; }
  while read -r package _; do
    step "building the R package $package (into .r-lib)" build_from_source "$package" || true
  done <<<"$required"
  need=$(missing)
  required=$(awk '$3 == "required"' <<<"$need")
fi
if [ -n "$required" ]; then
  names=$(awk '{printf "%s\"%s\"", sep, $1; sep = ", "}' <<<"$required")
  give_up "these packages are missing or too old: ${names//\"/}." \
    "Rscript -e 'install.packages(c($names), lib = \".r-lib\")' puts them into this folder."
fi
[ -z "$need" ] || say "  not found, and only suggested: $(awk '{printf "%s ", $1}' <<<"$need")"

# rpy2 3.6 needs R 4.5; before that the last release of 3.5.
r_version=$(Rscript --vanilla -e 'cat(as.character(getRversion()))')
case $r_version in
4.[0-4].* | 3.*) rpy2='rpy2>=3.5.17,<3.6' ;;
*) rpy2='rpy2>=3.6.2' ;;
esac
if ! is_done rpy2 "$rpy2-$r_version-$(cat "$STAMPS/python")"; then
  begin
  # ABI mode talks to R's shared library as it is: neither a compiler nor R's headers are needed.
  step "installing rpy2 (for R $r_version)" "$VENV/bin/python" -m pip install --quiet "$rpy2"
  mark_done rpy2 "$rpy2-$r_version-$(cat "$STAMPS/python")"
fi

# This project's own package, whenever its files changed.
want=$(fingerprint "$ROOT"/rpkg/{DESCRIPTION,NAMESPACE,R,man,inst})-$r_version
if ! is_done rpkg "$want" || [ ! -d "$ROOT/.r-lib/imagesasdata" ]; then
  begin
  step "installing the R package imagesasdata (into .r-lib)" \
    R CMD INSTALL --no-test-load --library="$ROOT/.r-lib" "$ROOT/rpkg"
  mark_done rpkg "$want"
fi
