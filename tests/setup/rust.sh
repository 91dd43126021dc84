#!/bin/sh
# Looks for a Rust toolchain that can build Eft. Where there is no Rust at all and the distribution has rustup as a
# package (Debian 13 and later), installs that and the pinned toolchain; a toolchain that somebody chose is left alone.
set -eu
. "$(dirname -- "$0")/lib.sh"

needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
[ -n "$needed" ] || fail "Cargo.toml names no rust-version"
advice="install rustup (Debian 13 has it as a package) and run in this folder: rustup show"

if ! have cargo || ! have rustc; then
    can_be_root || fail "no Rust here, and neither root nor sudo; $advice"
    have apt-get || fail "no Rust here; $advice"
    say "setup: installing rustup"
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || fail "apt-get update failed"
    apt-cache show rustup >/dev/null 2>&1 || fail "no Rust here, and this distribution has no rustup; $advice"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends rustup >/dev/null 2>&1 || fail "apt-get install rustup failed"
    # The channel and the components of rust-toolchain.toml.
    (cd "$root" && rustup toolchain install) || fail "rustup could not install the toolchain of rust-toolchain.toml"
fi
# In the repository, where rustup picks the pinned toolchain.
found=$(cd "$root" && rustc --version 2>&1) || fail "rustc does not run ($found); $advice"
version=$(printf '%s\n' "$found" | sed -n 's/^rustc \([0-9][0-9.]*\).*/\1/p')
oldest=$(printf '%s\n%s\n' "$needed" "$version" | sort -V | head -n 1)
[ "$oldest" = "$needed" ] || fail "rustc $version is older than $needed; $advice"
