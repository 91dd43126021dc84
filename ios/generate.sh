#!/bin/sh
# Writes the Swift module EftGenerated and the C header of EftFFI from the library that Cargo builds.
set -eu
. "$(dirname -- "$0")/../tests/setup/lib.sh"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
out=$target/uniffi/swift

tests/setup/build.sh
# A file of an earlier build would be compiled with the new ones.
rm -rf "$out"
# From the unstripped debug library: the descriptions that UniFFI reads are in its symbol table.
library=$target/debug/libeft_ffi.so
[ -e "$library" ] || library=$target/debug/libeft_ffi.dylib
"$target/debug/eft-bindgen" generate "$library" --language swift --no-format --config ios/uniffi.toml --out-dir "$out"

# Left alone when nothing changed, so that nothing is compiled again.
mkdir -p ios/Sources/EftGenerated
put() { cmp -s "$1" "$2" || cp "$1" "$2"; }
put "$out/EftFFI.h" ios/Sources/EftFFI/include/EftFFI.h
put "$out/EftGenerated.swift" ios/Sources/EftGenerated/EftGenerated.swift
