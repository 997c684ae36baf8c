#!/usr/bin/env bash
# jose-venv.sh DIR: an independent JOSE implementation (Python's joserfc, versions pinned) for the tests. Made again
# when the pinned versions change.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
pinned=tests/tools/requirements.txt

cmp -s "$pinned" "$venv/installed.txt" && exit 0
echo "installing the JOSE implementation that the tests compare with"
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pinned"
cp "$pinned" "$venv/installed.txt"
