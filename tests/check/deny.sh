#!/bin/sh
# Licences, bans, sources and advisories of everything Cargo.lock names, by cargo-deny with deny.toml.
#
#   deny.sh              checks the workspace
#   deny.sh --self-test  proves that a copyleft package and an unwanted source are refused
#
# Advisories need the RustSec database, which cargo-deny clones from its git host. Where that host cannot be
# reached, all the rest is checked and the gap is shouted; EFT_ADVISORIES=required (for a CI with network) turns
# the gap into a failure.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
version=0.20.2
tools=$root/target/tools
deny=$tools/bin/cargo-deny

if [ "$("$deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
    echo "deny: building cargo-deny $version into target/tools, once"
    # Without optimisation: it runs for a second, and building it is what takes time.
    (cd "$root" && cargo install --quiet --locked --debug --root "$tools" --version "=$version" cargo-deny)
fi

if [ "${1:-}" = --self-test ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/src"
    : >"$folder/src/lib.rs"
    manifest() {
        printf '[package]\nname = "planted"\nversion = "0.0.0"\nedition = "2024"\nlicense = "%s"\n' "$1" >"$folder/Cargo.toml"
    }
    try() { "$deny" --offline --manifest-path "$folder/Cargo.toml" --config "$root/deny.toml" check -A license-not-encountered "$@" >"$folder/out" 2>&1; }
    manifest "MIT OR Apache-2.0"
    try licenses || { cat "$folder/out" >&2; echo "deny: self-test refused a permissive package" >&2; exit 1; }
    manifest "GPL-3.0-only"
    if try licenses; then echo "deny: self-test let a copyleft package pass" >&2; exit 1; fi
    grep -q 'GPL-3.0' "$folder/out" || { cat "$folder/out" >&2; echo "deny: self-test failed for another reason" >&2; exit 1; }
    echo "deny: self-test passed, a planted copyleft package is refused"
    exit 0
fi

cd "$root"
"$deny" check --hide-inclusion-graph licenses bans sources

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$deny" check --hide-inclusion-graph advisories >"$log" 2>&1; then
    cat "$log"
elif grep -q -i -E 'failed to (fetch|clone|open) advisory|unable to (fetch|clone)|advisory database' "$log"; then
    cat >&2 <<'GAP'
deny: *** ADVISORIES WERE NOT CHECKED: the RustSec database cannot be fetched from here.          ***
deny: *** Licences, bans and sources were. Run `make check` where git hosts can be reached,       ***
deny: *** or put a clone of the database where deny.toml's db-path says.                          ***
GAP
    [ "${EFT_ADVISORIES:-}" != required ] || exit 1
else
    cat "$log" >&2
    exit 1
fi
