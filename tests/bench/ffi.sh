#!/bin/sh
# What the library costs in bytes and per call, in the profile that ships: size.so_bytes and ffi.call_ns of
# target/figures.json. Needs what the Kotlin tests need.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
made=$target/mobile/libeft_ffi.so
out=$target/bench-ffi

cargo rustc --quiet -p eft-ffi --lib --profile mobile --crate-type cdylib
mkdir -p "$out"
# Only the copy is stripped: what its parts are called is told by the other.
nm --demangle --print-size --defined-only "$made" >"$out/symbols"
strip -s -o "$out/libeft_ffi.so" "$made"

EFT_BENCH=$out/times tests/setup/kotlin.sh bench "$out"
read -r call method <"$out/times"
"$target/debug/bench-ffi" "$out/libeft_ffi.so" "$out/symbols" "$call" "$method"
