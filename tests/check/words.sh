#!/bin/sh
# Nothing committed names the host of a package registry or a path of somebody's machine: the first is the business
# of whoever builds (mirrors exist), the second breaks everywhere else.
#
#   words.sh              checks what git tracks, and what it would track
#   words.sh --self-test  proves that planted words are found
set -eu

# Put together from pieces, so that this file passes its own check.
dot='[.]'
hosts="crates${dot}io|pypi${dot}org|pythonhosted${dot}org|registry${dot}npmjs|repo1?${dot}maven|deb${dot}debian|proxy${dot}golang|static${dot}rust-lang"
paths="(^|[^A-Za-z0-9_.~-])/(work|root|home|Users)/[A-Za-z0-9_.-]"

# Cargo.lock names its registry in every entry, and Cargo writes it.
find_words() {
    git -C "$1" grep --untracked -n -I -E "$hosts|$paths" -- ':!Cargo.lock' ':!**/Cargo.lock'
}

if [ "${1:-}" = --self-test ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    git -C "$folder" init -q
    printf 'see crates%sio for more\n' . >"$folder/host.md"
    printf 'path = "/ho%s/alice/eft"\n' me >"$folder/path.toml"
    printf 'source = "registry+https://crates%sio"\n' . >"$folder/Cargo.lock"
    printf 'see docs/home/page.md and a://b/c\n' >"$folder/clean.md"
    found=$(find_words "$folder" | cut -d: -f1 | sort | tr '\n' ' ')
    [ "$found" = "host.md path.toml " ] || { echo "words: self-test found '$found'" >&2; exit 1; }
    echo "words: self-test passed, 2 planted words noticed"
    exit 0
fi

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
if find_words "$root" >&2; then
    echo "words: the lines above name a registry's host or somebody's path" >&2
    exit 1
fi
echo "words: no registry host and no machine path"
