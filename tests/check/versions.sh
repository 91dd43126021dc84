#!/bin/sh
# One version for everything that is released from one commit: the crates, what Maven builds, the Android sample.
#
#   versions.sh              compares them with Cargo.toml
#   versions.sh --self-test  proves that another number is found
set -eu

# FILE, and the pattern of the line that holds its version.
places() {
    printf '%s\n' \
        'android/pom.xml ^  <version>' \
        'android/core/pom.xml ^    <version>' \
        'android/eft/pom.xml ^    <version>' \
        'android/sample/pom.xml ^    <version>' \
        'android/sample/build.gradle.kts versionName ='
}

# Prints each place that has another version, or none.
differing() {
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$1/Cargo.toml")
    [ -n "$version" ] || { echo "Cargo.toml: no version"; return; }
    places | while read -r file pattern; do
        found=$(grep -E -m 1 -- "$pattern" "$1/$file" | grep -o '[0-9][0-9A-Za-z.+-]*' | head -n 1)
        [ "$found" = "$version" ] || echo "$file: ${found:-none}, and Cargo.toml has $version"
    done
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
if [ "${1:-}" = --self-test ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (cd "$root" && tar -cf - Cargo.toml $(places | cut -d ' ' -f 1)) | tar -xf - -C "$folder"
    [ -z "$(differing "$folder")" ] || { echo "versions.sh: an equal version is refused"; exit 1; }
    places | while read -r file pattern; do
        sed -i "/$pattern/s/[0-9][0-9.]*/9.9.9/" "$folder/$file"
        differing "$folder" | grep -q "^$file: 9.9.9" || { echo "versions.sh: $file is not looked at"; exit 1; }
        cp "$root/$file" "$folder/$file"
    done
    echo "versions.sh: another number is found in every place"
    exit
fi
wrong=$(differing "$root")
[ -z "$wrong" ] || { printf '%s\n' "$wrong"; exit 1; }
