#!/bin/sh
# Builds libeft_ffi.so for phones, profile `mobile`, into target/android/jniLibs, where Gradle finds it.
# UNPROVEN: needs the NDK (27 or newer), which is not on this project's machines.
#
#   ANDROID_NDK_HOME=... android/native.sh [ABI...]      by default arm64-v8a, armeabi-v7a and x86_64
set -eu
. "$(dirname -- "$0")/../tests/setup/lib.sh"

: "${ANDROID_NDK_HOME:?where the NDK is}"
api=26
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
tools=$ANDROID_NDK_HOME/toolchains/llvm/prebuilt/linux-x86_64/bin
[ -d "$tools" ] || tools=$ANDROID_NDK_HOME/toolchains/llvm/prebuilt/darwin-x86_64/bin
[ -d "$tools" ] || fail "$ANDROID_NDK_HOME holds no toolchain"

[ $# -gt 0 ] || set -- arm64-v8a armeabi-v7a x86_64
for abi in "$@"; do
    case $abi in
        arm64-v8a) triple=aarch64-linux-android clang=aarch64-linux-android$api-clang ;;
        armeabi-v7a) triple=armv7-linux-androideabi clang=armv7a-linux-androideabi$api-clang ;;
        x86_64) triple=x86_64-linux-android clang=x86_64-linux-android$api-clang ;;
        *) fail "no ABI that Android has: $abi" ;;
    esac
    rustup target add "$triple"
    lower=$(printf '%s' "$triple" | tr - _)
    upper=$(printf '%s' "$lower" | tr '[:lower:]' '[:upper:]')
    # Phones with pages of 16 KiB load nothing that is aligned to less.
    env "CARGO_TARGET_${upper}_LINKER=$tools/$clang" "CC_$lower=$tools/$clang" "AR_$lower=$tools/llvm-ar" \
        "CARGO_TARGET_${upper}_RUSTFLAGS=-C link-arg=-Wl,-z,max-page-size=16384" \
        cargo rustc -p eft-ffi --lib --profile mobile --target "$triple" --crate-type cdylib
    mkdir -p "$root/target/android/jniLibs/$abi"
    "$tools/llvm-strip" -o "$root/target/android/jniLibs/$abi/libeft_ffi.so" "$target/$triple/mobile/libeft_ffi.so"
    for align in $("$tools/llvm-readelf" -lW "$root/target/android/jniLibs/$abi/libeft_ffi.so" | awk '$1 == "LOAD" { print $NF }'); do
        [ $((align)) -ge 16384 ] || fail "$abi: a segment is aligned to $align, and 0x4000 is needed"
    done
done
say "made target/android/jniLibs for $*"
