#!/bin/sh
# Runs the Kotlin tests on the JVM beside a real server: builds eft-ffi, generates its Kotlin, compiles and runs
# android/jvm.
set -eu
. "$(dirname -- "$0")/lib.sh"

if ! have mvn || ! have javac; then fail "no Maven or no JDK: run tests/setup/install.sh test"; fi
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
generated=$target/uniffi/kotlin
log=$target/kotlin-test.log

tests/setup/build.sh
# A file of an earlier build would be compiled with the new ones.
rm -rf "$generated"
# From the unstripped debug library: the descriptions that UniFFI reads are in its symbol table.
"$target/debug/eft-bindgen" generate "$target/debug/libeft_ffi.so" --language kotlin --no-format --out-dir "$generated"

say "kotlin: compiling and testing android/jvm (log: target/kotlin-test.log)"
if ! "$target/debug/with-server" -- mvn -B -ntp -f android/jvm/pom.xml "-Duniffi.kotlin=$generated" "-Deft.library=$target/debug" test >"$log" 2>&1; then
    grep -E 'ERROR|FAIL|Tests run' "$log" | head -n 60 >&2
    fail "the Kotlin tests failed; the whole log is $log"
fi
grep 'Tests run' "$log" | tail -n 1
