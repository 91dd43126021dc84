#!/bin/sh
# Looks for a Rust toolchain that can build Eft; installs none, because every developer has a way of their own.
set -eu
. "$(dirname -- "$0")/lib.sh"

needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
[ -n "$needed" ] || fail "Cargo.toml names no rust-version"
advice="install rustup (Debian 13 has it as a package) and run in this folder: rustup show"

if ! have cargo || ! have rustc; then fail "no Rust here; $advice"; fi
# In the repository, where rustup picks the pinned toolchain.
found=$(cd "$root" && rustc --version 2>&1) || fail "rustc does not run ($found); $advice"
version=$(printf '%s\n' "$found" | sed -n 's/^rustc \([0-9][0-9.]*\).*/\1/p')
oldest=$(printf '%s\n%s\n' "$needed" "$version" | sort -V | head -n 1)
[ "$oldest" = "$needed" ] || fail "rustc $version is older than $needed; $advice"
