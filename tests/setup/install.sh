#!/bin/sh
# Installs the Debian packages that `make demo` and `make test` need and that are missing. Says nothing to install
# in a fraction of a second. Needs root or sudo for what is missing; without either it names the packages.
#
#   tests/setup/install.sh demo    what builds and runs the demo, its foreign client included
#   tests/setup/install.sh test    that, a second server, a desktop's keyring, and what the Kotlin tests need (the default)
set -eu
. "$(dirname -- "$0")/lib.sh"

backports_file=/etc/apt/sources.list.d/eft-backports.sources
policy_file=/usr/sbin/policy-rc.d
oldest_prosody=13
oldest_ejabberd=24.12

want=${1:-test}
case $want in
    demo) packages="gcc libc6-dev make pkg-config ca-certificates python3 python3-venv" ;;
    test) packages="gcc libc6-dev make pkg-config ca-certificates python3 python3-venv maven default-jdk-headless dbus gnome-keyring" ;;
    *) fail "usage: install.sh [demo|test]" ;;
esac

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# What counts is the tool, whoever installed it: a machine may have its JDK or compiler from elsewhere.
provided() {
    case $1 in
        gcc | make | python3) have "$1" ;;
        pkg-config) have pkg-config ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        maven) have mvn ;;
        default-jdk-headless) have javac ;;
        dbus) have dbus-daemon && have dbus-send ;;
        gnome-keyring) have gnome-keyring-daemon ;;
        *) installed "$1" ;;
    esac
}

prosody_major() {
    have prosodyctl || { echo 0; return; }
    prosodyctl about 2>/dev/null | sed -n 's/^Prosody \([0-9][0-9]*\)\..*/\1/p' | head -n 1
}
prosody_is_new_enough() {
    major=$(prosody_major)
    # A development build has no number and is newer than any release.
    [ -z "$major" ] || [ "$major" -ge "$oldest_prosody" ]
}

# The first with FAST (XEP-0484).
ejabberd_is_new_enough() {
    installed ejabberd && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' ejabberd)" ge "$oldest_ejabberd"
}

missing=""
for package in $packages; do
    provided "$package" || missing="$missing $package"
done
# prosody-modules: SASL2, Bind 2 and FAST. lua-sec: TLS. lua-unbound: the DNS by which it finds other servers.
prosody_packages=""
prosody_is_new_enough || prosody_packages="prosody"
for package in prosody-modules lua-sec; do
    installed "$package" || prosody_packages="$prosody_packages $package"
done
if [ "$want" = test ]; then
    installed lua-unbound || prosody_packages="$prosody_packages lua-unbound"
    ejabberd_is_new_enough || prosody_packages="$prosody_packages ejabberd"
fi
have setpriv || missing="$missing util-linux"

[ -n "$missing$prosody_packages" ] || exit 0

have apt-get || fail "this is no Debian; install by hand: $missing $prosody_packages (Prosody $oldest_prosody or newer)"
can_be_root || fail "neither root nor sudo; have these installed: $missing $prosody_packages (Prosody $oldest_prosody or newer)"

log=$(mktemp)
cleanup() { rm -f "$log"; }
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# Says nothing unless it fails.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        fail "apt-get $1 failed"
    }
}

codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# Whether apt knows a Prosody that is new enough in suites whose name contains $2 (or does not, with $1 = without).
offered() {
    option=""
    [ "$1" = with ] || option=-v
    # shellcheck disable=SC2086 # one option or none
    for version in $(apt-cache madison prosody | grep $option -e "$2" | cut -d '|' -f 2); do
        if dpkg --compare-versions "$version" ge "$oldest_prosody"; then return 0; fi
    done
    return 1
}

# Adds the backports suite of the mirror this machine already uses, signed by the same keyring.
add_backports() {
    suite=$1
    mirror=$(apt-cache policy | awk '/^ *[0-9-]+ [a-z+]+:\/\/.* '"${suite%-backports}"'\/main / { print $2; exit }')
    [ -n "$mirror" ] || fail "apt knows no mirror of ${suite%-backports}/main to take $suite from"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suite" "$keyring" |
        as_root tee "$backports_file" >/dev/null
    apt_get update
}

# Packages of daemons start them when installed; ours must not. `policy-rc.d` says so, for as long as we install.
forbid_daemons() {
    [ ! -e "$policy_file" ] || return 0
    cleanup() { rm -f "$log"; as_root rm -f "$policy_file"; }
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy_file" >/dev/null
    as_root chmod 755 "$policy_file"
}

say "setup: installing$missing $prosody_packages"
apt_get update
forbid_daemons
if [ -n "$prosody_packages" ]; then
    suite=""
    if ! offered without -backports; then
        [ -n "$(codename)" ] || fail "none of apt's suites has Prosody $oldest_prosody, and this Debian has no code name"
        suite=$(codename)-backports
        offered with "$suite" || add_backports "$suite"
        offered with "$suite" || fail "$suite has no Prosody $oldest_prosody"
    fi
    # shellcheck disable=SC2086 # lists of package names
    apt_get install -y --no-install-recommends ${suite:+-t "$suite"} $prosody_packages
fi
# shellcheck disable=SC2086
[ -z "$missing" ] || apt_get install -y --no-install-recommends $missing
case $prosody_packages in
    *ejabberd*) ejabberd_is_new_enough || fail "no ejabberd $oldest_ejabberd or newer was installed" ;;
esac
prosody_is_new_enough || fail "Prosody $(prosody_major) was installed where $oldest_prosody was asked for"
say "setup: done"
