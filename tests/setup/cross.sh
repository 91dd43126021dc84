#!/bin/sh
# Checks the core and the bindings for phones: aarch64-linux-android and aarch64-apple-ios. Everything is compiled by
# rustc up to its types, and the C code of dependencies by clang in full; nothing is linked, for neither the NDK nor
# Apple's SDK is here. What the linker would say is the business of Gradle and of ios/xcframework.sh.
#
# clang gets C headers that are not the platform's own: glibc's for Android, and for iOS those of Darwin that the Python
# package ziglang brings. They serve for a check, and never for what ships.
set -eu
. "$(dirname -- "$0")/lib.sh"

ziglang=0.17.1
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
work=$root/target/cross
mkdir -p "$work"

missing=""
for package in clang llvm libc6-dev-arm64-cross linux-libc-dev-arm64-cross; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    can_be_root || fail "neither root nor sudo; have these installed:$missing"
    say "setup: installing$missing"
    # shellcheck disable=SC2086 # a list of package names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends $missing >"$work/apt.log" 2>&1 || fail "apt-get install failed: $work/apt.log"
fi
darwin=$work/darwin-$ziglang
if [ ! -d "$darwin" ]; then
    say "setup: getting Darwin's C headers (a download of 100 MB, of which 8 MB are kept)"
    python3 -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "ziglang==$ziglang"
    rm -rf "$darwin.part"
    cp -r "$work"/venv/lib/python3*/site-packages/ziglang/lib/libc/include/any-darwin-any "$darwin.part"
    # Compilers before clang 16 take every environment that they do not know for this one.
    sed -i '/#error KernelKit/d' "$darwin.part/TargetConditionals.h"
    mv "$darwin.part" "$darwin"
    rm -rf "$work/venv"
fi
# SQLCipher writes to Android's log. It is declared here as it is there.
mkdir -p "$work/android/android" "$work/ios-sdk"
cat >"$work/android/android/log.h" <<'C'
#include <stdarg.h>
enum { ANDROID_LOG_UNKNOWN, ANDROID_LOG_DEFAULT, ANDROID_LOG_VERBOSE, ANDROID_LOG_DEBUG, ANDROID_LOG_INFO,
       ANDROID_LOG_WARN, ANDROID_LOG_ERROR, ANDROID_LOG_FATAL, ANDROID_LOG_SILENT };
int __android_log_print(int priority, const char *tag, const char *format, ...);
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments);
int __android_log_write(int priority, const char *tag, const char *text);
C

if have rustup; then
    rustup target add aarch64-linux-android aarch64-apple-ios >"$work/rustup.log" 2>&1 ||
        fail "rustup has no standard library for phones: $work/rustup.log"
fi

export CC_aarch64_linux_android=clang AR_aarch64_linux_android=llvm-ar RANLIB_aarch64_linux_android=llvm-ranlib
export CFLAGS_aarch64_linux_android="--target=aarch64-linux-android26 -isystem $work/android -isystem /usr/aarch64-linux-gnu/include"
export CC_aarch64_apple_ios=clang AR_aarch64_apple_ios=llvm-ar RANLIB_aarch64_apple_ios=llvm-ranlib
export CFLAGS_aarch64_apple_ios="--target=arm64-apple-ios16.0 -isystem $darwin -DSQLCIPHER_OMIT_LOG_DEVICE"
# An empty folder, so that nobody asks xcrun.
export SDKROOT_IOS="$work/ios-sdk"
for triple in aarch64-linux-android aarch64-apple-ios; do
    say "cross: checking for $triple"
    case $triple in *-apple-*) SDKROOT=$SDKROOT_IOS; export SDKROOT ;; esac
    CARGO_TARGET_DIR="$target/cross" cargo check --quiet -p eft-ffi --target "$triple" || fail "cross: it does not compile for $triple"
done
say "cross: core and bindings compile for aarch64-linux-android and aarch64-apple-ios"
