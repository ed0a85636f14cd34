#!/usr/bin/env bash
# Everything `make test` runs once the setup is there. All parts run, so that one run shows all that is wrong.
set -euo pipefail
. "$(dirname "$0")/env.sh"
failed=()
for part in lint test-python test-r; do
  "$ROOT/tools/$part.sh" || failed+=("$part")
done
[ ${#failed[@]} = 0 ] || fail "
Failed: ${failed[*]}"
heading "All tests passed."
