#!/bin/sh
# Licences, bans, sources and advisories of everything Cargo.lock names, by cargo-deny with deny.toml.
#
#   deny.sh              checks the workspace
#   deny.sh --self-test  proves that a copyleft package and an unwanted source are refused
#
# Advisories need the RustSec database, which cargo-deny clones from its git host. Where that host cannot be
# reached, an earlier clone serves; without one, all the rest is checked and the gap is shouted.
# EFT_ADVISORIES=required (for a CI with network) turns both into a failure.
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
# What a plain build links: nothing that wants a C toolchain of its own for TLS.
tree=$(cargo tree --workspace --edges normal,build --prefix none)
if printf '%s\n' "$tree" | grep -q '^aws-lc-sys '; then
    echo "deny: aws-lc-sys is in a build without the feature aws-lc-rs" >&2
    exit 1
fi

# A database fetched earlier, and the day of its last entry.
clone=$(find "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | head -n 1)
if "$deny" fetch db >/dev/null 2>&1; then
    "$deny" check --hide-inclusion-graph advisories
elif [ -n "$clone" ] && [ "${EFT_ADVISORIES:-}" != required ]; then
    echo "deny: *** no network for advisories: using the database of $(git -C "$clone" log -1 --format=%cs) ***" >&2
    "$deny" --offline check --hide-inclusion-graph advisories
else
    cat >&2 <<'GAP'
deny: *** ADVISORIES WERE NOT CHECKED: the RustSec database cannot be fetched from here.   ***
deny: *** Licences, bans and sources were. Run `make check` where git hosts are reachable. ***
GAP
    [ "${EFT_ADVISORIES:-}" != required ]
fi
