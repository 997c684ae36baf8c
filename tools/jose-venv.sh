#!/usr/bin/env bash
# jose-venv.sh DIR: the Python packages of the tests, versions pinned: an independent JOSE implementation (joserfc) and an
# independent FIDO2 server (fido2). Made again when the pinned versions change.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
pinned=tests/tools/requirements.txt

cmp -s "$pinned" "$venv/installed.txt" && exit 0
echo "installing the JOSE implementation and the FIDO2 server of the tests"
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pinned"
cp "$pinned" "$venv/installed.txt"
