#!/bin/sh
# Builds and tests what is in android/, without an Android SDK: builds eft-ffi, generates its Kotlin, compiles library and
# sample with warnings as errors against the real framework's classes, and runs the tests beside a real server.
#
#   kotlin.sh             all of it
#   kotlin.sh short       the facade's stories only
#   kotlin.sh only TESTS  the tests whose class names fit, as in: only Races
#   kotlin.sh bench FOLDER  what a call costs, with the library in this folder: see tests/bench/ffi.sh
set -eu
. "$(dirname -- "$0")/lib.sh"

case ${1:-all} in
    all) modules=core,eft,sample tests='.*Test' ;;
    short) modules=core,eft tests='.*(Library|Talk|LostLink|Timeline)Test' ;;
    only) modules=core,eft tests=".*${2:?which tests}.*Test" ;;
    bench) modules=core,eft tests='.*CallCost' library=${2:?where the library is} ;;
    *) fail "usage: kotlin.sh [short | only TESTS | bench FOLDER]" ;;
esac
if ! have mvn || ! have javac; then fail "no Maven or no JDK: run tests/setup/install.sh test"; fi
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
generated=$target/uniffi/kotlin
log=$target/kotlin-test.log

tests/setup/build.sh
# From the unstripped debug library: the descriptions that UniFFI reads are in its symbol table.
"$target/debug/eft-bindgen" generate "$target/debug/libeft_ffi.so" --language kotlin --no-format \
    --config android/uniffi.toml --out-dir "$generated.new"
# Left alone when nothing changed, so that nothing is compiled again; and never beside a file of an earlier build.
if diff -r "$generated.new" "$generated" >/dev/null 2>&1; then rm -rf "$generated.new"; else
    rm -rf "$generated"
    mv "$generated.new" "$generated"
fi
# What the core learns to do, the facade has to offer.
for name in $(sed -nE 's/^ +(open |override )?(suspend )?`?fun `([a-zA-Z]+)`.*/\3/p' "$generated"/eft/core/*.kt | sort -u); do
    case $name in uniffi* | destroy | close | toString | equals | hashCode) continue ;; esac
    grep -rqE "(core|store|reply)[.]$name[(]|(fun|val) $name\b" android/eft/src/main/kotlin || fail "android/eft does not offer $name of the core"
done

# On 32-bit ARM an unsigned result of 16 bits is not what JNA takes it for: see android/uniffi.toml.
if awk '/external fun/ { name = $0 } /^ *[)] *: *Short/ && name !~ /_i16[(]/ { print name; found = 1 } END { exit !found }' \
    "$generated"/eft/core/*.kt >&2; then fail "generated Kotlin takes a result of 16 bits from C"; fi

say "kotlin: compiling and testing android (log: target/kotlin-test.log)"
if ! "$target/debug/with-server" -- mvn -B -ntp -f android/pom.xml -pl "$modules" "-Duniffi.kotlin=$generated" \
    "-Deft.library=${library:-$target/debug}" "-Deft.target=$target/android" "-Deft.tests=%regex[$tests.*]" test >"$log" 2>&1; then
    grep -E 'ERROR|FAIL|Tests run' "$log" | head -n 60 >&2
    fail "the Kotlin tests failed; the whole log is $log"
fi
grep -E '^soak ' "$log" || true
grep 'Tests run' "$log" | grep -v 'Time elapsed'
