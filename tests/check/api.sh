#!/bin/sh
# What Kotlin and Swift see is agreed on: bindings/api.txt lists it, and every change of it is a change of that file
# that somebody reviews.
#
#   api.sh              compares the library with the list
#   api.sh --accept     writes the list anew
#   api.sh --self-test  proves that a change of either side is noticed
set -eu
. "$(dirname -- "$0")/../setup/lib.sh"

list=$root/bindings/api.txt

# differs AGREED BUILT: shows what is not the same.
differs() { ! diff -U 0 "$1" "$2" | sed '1,2d; /^@@/d' | grep .; }

if [ "${1:-}" = --self-test ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    sed 's/ throws EftError$//' "$list" >"$folder/changed.txt"
    sed '$d' "$list" >"$folder/fewer.txt"
    for built in changed fewer; do
        ! differs "$list" "$folder/$built.txt" >/dev/null || fail "api: not noticed: a surface that is $built"
        ! differs "$folder/$built.txt" "$list" >/dev/null || fail "api: not noticed: a list that is $built"
    done
    differs "$list" "$list" || fail "api: refused though the same"
    say "api: self-test passed, 4 changes noticed"
    exit 0
fi

cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
tests/setup/build.sh
library=$target/debug/libeft_ffi.so
[ -e "$library" ] || library=$target/debug/libeft_ffi.dylib
built=$(mktemp)
trap 'rm -f "$built"' EXIT
"$target/debug/eft-api" "$library" >"$built"
[ -s "$built" ] || fail "api: the library exports nothing"

if [ "${1:-}" = --accept ]; then
    cp "$built" "$list"
    say "api: wrote bindings/api.txt, $(wc -l <"$list") lines"
elif ! differs "$list" "$built" >&2; then
    fail "api: what the library exports is not what bindings/api.txt says; if it is meant so, make api, and commit it"
else
    say "api: $(wc -l <"$list") exported items, as agreed"
fi
