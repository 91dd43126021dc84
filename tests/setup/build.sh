#!/bin/sh
# Builds every library and program of the workspace with the features that `cargo test --workspace` builds them with,
# so that neither compiles again what the other compiled: --examples counts the dependencies of tests in, and there are
# no examples. Any narrower choice of packages has other features, and compiles dozens of crates a second time.
set -eu
. "$(dirname -- "$0")/lib.sh"
cd "$root"
exec cargo build --quiet --workspace --lib --bins --examples
