#!/bin/sh
# Builds the Swift package without warnings, tests it beside a real server, and parses what only Apple's compilers can
# build. Needs tests/setup/swift.sh.
#
#   test.sh              all of it
#   test.sh short        some stories beside the server, and what only Apple's compilers can build
#   test.sh only FILTER  the tests whose names fit, and nothing else
set -eu
. "$(dirname -- "$0")/../tests/setup/lib.sh"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

want=${1:-all}
case $want in
    all) filter=. ;;
    short) filter='(Talk|LostLink|Gap|Wake|SrvData)Tests' ;;
    only) filter=${2:?which tests} ;;
    *) fail "usage: test.sh [short | only FILTER]" ;;
esac
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
work=$root/target/swift
log=$work/test.log
with_swift() { tests/setup/swift.sh run "$@"; }

with_swift true
ios/generate.sh
# What the core learns to do, the facade has to offer.
for name in $(sed -nE 's/^open func `?([A-Za-z]+).*/\1/p' ios/Sources/EftGenerated/EftGenerated.swift | sort -u); do
    grep -rqE "(core|store|reply)[.]$name\(|func $name\(" ios/Sources/Eft || fail "ios/Sources/Eft does not offer $name of the core"
done
# Inside the repository, where the compiler finds it also when it runs in a Debian of its own.
mkdir -p "$work/lib"
# Seen once: after a change of the generated module, objects of Eft were those of before, and calls went astray.
cmp -s ios/Sources/EftGenerated/EftGenerated.swift "$work/generated.swift" || rm -rf "$work/build"
cp ios/Sources/EftGenerated/EftGenerated.swift "$work/generated.swift"
cmp -s "$target/debug/libeft_ffi.so" "$work/lib/libeft_ffi.so" || cp "$target/debug/libeft_ffi.so" "$work/lib/"

EFT_TEST_FOLDER=$(mktemp -d "$work/data.XXXXXX")
export EFT_TEST_FOLDER
trap 'rm -rf "$EFT_TEST_FOLDER"' EXIT
trap 'exit 130' HUP INT TERM

say "swift: compiling and testing ios (log: target/swift/test.log)"
if ! timeout --foreground --kill-after=10 "$((1200 + 60 * ${EFT_SOAK_MINUTES:-0}))" "$target/debug/with-server" -- \
    tests/setup/swift.sh run swift test --filter "$filter" --package-path ios --scratch-path "$work/build" \
    -Xswiftc -warnings-as-errors -Xlinker "-L$work/lib" -Xlinker -rpath -Xlinker "$work/lib" >"$log" 2>&1; then
    grep -E 'error:|✘|failed' "$log" | head -n 60 >&2
    fail "the Swift tests failed; the whole log is $log"
fi
count=$(sed -n 's/^.*Test run with \([0-9][0-9]*\) tests* passed.*/\1/p' "$log")
[ "${count:-0}" -gt 0 ] || fail "no Swift test was run; the whole log is $log"
grep -E '^soak ' "$log" || true
if [ "$want" = only ]; then
    say "Tests run: $count"
    exit 0
fi

strictly() { with_swift swiftc -swift-version 6 -warnings-as-errors "$@"; }
test_stand_ins() {
    # The Keychain is Apple's; what is ours about it runs against a stand-in.
    keychain=$work/keychain
    mkdir -p "$keychain"
    strictly -parse-as-library -module-name Security -emit-module -emit-module-path "$keychain/Security.swiftmodule" \
        -emit-library -static -o "$keychain/libSecurity.a" ios/Tests/Keychain/Security.swift
    strictly -I "$keychain" -L "$keychain" -lSecurity -o "$keychain/test" \
        ios/Tests/Keychain/main.swift ios/Sources/Eft/SecretStore.swift ios/Sources/Eft/Keychain*.swift
    with_swift "$keychain/test" || fail "the Keychain store does not do what it should"

    # So is what iOS gives a notification extension. Its part of the package is compiled only where the module is, so here the
    # package's sources are compiled once more, beside a stand-in for it.
    notifications=$work/notifications
    mkdir -p "$notifications"
    strictly -parse-as-library -module-name UserNotifications -emit-module \
        -emit-module-path "$notifications/UserNotifications.swiftmodule" -emit-library -static \
        -o "$notifications/libUserNotifications.a" ios/Tests/Notifications/UserNotifications.swift
    modules=$work/build/debug/Modules
    ffi="-Xcc -fmodule-map-file=$root/ios/Sources/EftFFI/include/module.modulemap"
    # shellcheck disable=SC2086 # two words
    strictly -parse-as-library -package-name ios -module-name Eft -I "$modules" -I "$notifications" $ffi -emit-module \
        -emit-module-path "$notifications/Eft.swiftmodule" -emit-library -static -o "$notifications/libEft.a" ios/Sources/Eft/*.swift
    # shellcheck disable=SC2086,SC2046 # lists of words
    strictly -I "$notifications" -I "$modules" $ffi -o "$notifications/test" ios/Tests/Notifications/main.swift \
        "$notifications/libEft.a" "$notifications/libUserNotifications.a" "$work"/build/debug/EftGenerated.build/*.o \
        -L "$work/lib" -left_ffi -Xlinker -rpath -Xlinker "$work/lib"
    "$target/debug/with-server" -- tests/setup/swift.sh run "$notifications/test" || fail "the notification extension does not do what it should"
}
if [ "$want" = all ]; then test_stand_ins; fi

# The parser looks at nothing inside of a condition that does not hold, so the conditions are taken away.
parsed=0
for file in $(grep -rlE '^#if canImport\(' ios/Sources/Eft ios/Sample); do
    sed -E '/^ *#(if|elseif|else|endif)/d' "$file" >"$work/parsed.swift"
    with_swift swiftc -frontend -parse "$work/parsed.swift" || fail "$file is no Swift"
    parsed=$((parsed + 1))
done
[ "$parsed" -gt 0 ] || fail "no file for Apple's platforms was found to parse"

say "Tests run: $count; files for Apple's platforms parsed: $parsed"
