# shellcheck shell=sh
# Shared by the setup scripts; source it.

# shellcheck disable=SC2034 # for the scripts that source this
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root: directly, by sudo, or not at all.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else return 126; fi
}
can_be_root() { [ "$(id -u)" = 0 ] || have sudo; }
