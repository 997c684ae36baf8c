#!/usr/bin/env bash
# deps.sh PACKAGE...: installs the Debian packages that are missing, and says so. Without apt or root it prints the
# line to run and stops. Then it sees to the Rust toolchain, and that it is new enough.
set -euo pipefail

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing+=("$package")
    done
fi

if [ ${#missing[@]} -gt 0 ]; then
    line="apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing missing packages: ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q
        $line
    else
        echo "packages are missing; run this and try again:" >&2
        echo "    sudo $line" >&2
        exit 1
    fi
elif ! command -v dpkg-query >/dev/null; then
    for tool in cc cmake pkg-config curl; do
        command -v "$tool" >/dev/null || { echo "no apt here: install $tool, and the headers of OpenSSL 3" >&2; exit 1; }
    done
fi

rustup="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
if ! command -v cargo >/dev/null; then
    echo "there is no Rust toolchain; run this and try again:" >&2
    echo "    $rustup" >&2
    exit 1
fi

# rust-toolchain.toml asks for `stable`, which to rustup is the stable one that is there, however old.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
found=$(cd "$root" && rustc --version | cut -d' ' -f2)
if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
    echo "Rust $found is too old, it takes $wanted or later; run this and try again:" >&2
    if command -v rustup >/dev/null; then echo "    rustup update stable" >&2; else echo "    $rustup" >&2; fi
    exit 1
fi
