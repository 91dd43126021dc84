#!/bin/sh
# NOT PROVEN: nobody has run this yet. It needs macOS with Xcode, and a Rust toolchain with the targets below.
#
# Makes ios/EftFFI.xcframework, the static library of the core for iPhone, simulator and Mac, which Package.swift takes
# on Apple's platforms, and the generated Swift beside it.
set -eu
. "$(dirname -- "$0")/../tests/setup/lib.sh"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

[ "$(uname -s)" = Darwin ] || fail "an XCFramework is made on macOS"
have xcodebuild || fail "no Xcode"
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
# The one that ships; `release` builds faster.
profile=${EFT_PROFILE:-mobile}
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0

ios/generate.sh

slice() { printf '%s\n' "$target/$1/$profile/libeft_ffi.a"; }
for triple in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    rustup target add "$triple"
    cargo rustc -p eft-ffi --profile "$profile" --target "$triple" --crate-type staticlib
done

work=$target/xcframework
rm -rf "$work" ios/EftFFI.xcframework
mkdir -p "$work/headers" "$work/simulator" "$work/mac"
cp ios/Sources/EftFFI/include/EftFFI.h "$work/headers/"
# The library is named by the framework; the `link` line is for Linux.
sed '/^ *link /d' ios/Sources/EftFFI/include/module.modulemap >"$work/headers/module.modulemap"
# One library per platform: both kinds of processor in one file.
lipo -create "$(slice aarch64-apple-ios-sim)" "$(slice x86_64-apple-ios)" -output "$work/simulator/libeft_ffi.a"
lipo -create "$(slice aarch64-apple-darwin)" "$(slice x86_64-apple-darwin)" -output "$work/mac/libeft_ffi.a"
xcodebuild -create-xcframework \
    -library "$(slice aarch64-apple-ios)" -headers "$work/headers" \
    -library "$work/simulator/libeft_ffi.a" -headers "$work/headers" \
    -library "$work/mac/libeft_ffi.a" -headers "$work/headers" \
    -output ios/EftFFI.xcframework
say "made ios/EftFFI.xcframework"
