#!/bin/sh
# Finds or makes a Swift 6 toolchain, and runs commands with it. Does nothing in a fraction of a second where it
# stands already.
#
#   tests/setup/swift.sh                   find or make it
#   tests/setup/swift.sh able              whether that can be done on this machine; if not, says why
#   tests/setup/swift.sh run COMMAND ARGS  run a command with it, in this folder of the repository, as the calling user
#                                          and with the EFT_ variables of the environment; makes nothing
#
# A Swift 6 in PATH is taken as it is. Debian 13 and later have one as a package. Debian 12 has none, and packages of
# Debian 13 would replace its C library: there, target/swift/trixie becomes a Debian 13 of its own, made from the mirror
# that apt uses here, and commands run in it by chroot. Mounts and processes are in namespaces of their own, so they
# end with the command, however it ends.
set -eu
. "$(dirname -- "$0")/lib.sh"

suite=trixie
# The last two are only recommended by the first, and nothing links without them.
packages="swiftlang libc6-dev libstdc++-14-dev"
needed_mib=4500

folder=$root/target/swift
jail=$folder/$suite
log=$folder/setup.log
# What is in the jail; another recipe makes it anew.
recipe="$suite $packages"

swift_here() { have swift && swift --version 2>/dev/null | grep -Eq 'Swift version ([6-9]|[1-9][0-9])[.]'; }
jail_stands() { [ "$(cat "$jail/etc/eft-recipe" 2>/dev/null)" = "$recipe" ]; }

# in_jail FOLDER UID:GID COMMAND ARGS: runs a command in the Debian there. The repository and the folder for temporary
# files, where test servers keep their certificates, are where they are outside.
in_jail() {
    # shellcheck disable=SC2016 # for the inner shell
    as_root unshare --mount --pid --fork --kill-child sh -euc '
        root=$1 temporary=$2 here=$3 inside=$4 who=$5
        shift 5
        mount --rbind /dev "$inside/dev"
        mount -t proc proc "$inside/proc"
        for shared in "$temporary" "$root"; do
            mkdir -p "$inside$shared"
            mount --bind "$shared" "$inside$shared"
        done
        exec chroot --userspec="$who" "$inside" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
            HOME="$root/target/swift/home" /bin/sh -euc "cd \"\$0\"; exec \"\$@\"" "$here" "$@"
    ' sh "$root" "${TMPDIR:-/tmp}" "$PWD" "$@"
}

if [ "${1:-}" = run ]; then
    shift
    ! swift_here || exec "$@"
    jail_stands || fail "no Swift 6 here: run tests/setup/swift.sh"
    for name in $(env | sed -n 's/^\(EFT_[A-Z_]*\)=.*/\1/p'); do
        eval "set -- \"$name=\$$name\" \"\$@\""
    done
    can_be_root || fail "neither root nor sudo, and the Swift in target/swift is run by chroot"
    mkdir -p "$folder/home"
    in_jail "$jail" "$(id -u):$(id -g)" env "$@"
    exit
fi
[ $# = 0 ] || [ "$*" = able ] || fail "usage: swift.sh [able | run COMMAND ARGS]"

if swift_here || jail_stands; then exit 0; fi

mkdir -p "$folder"
have apt-get || fail "no Swift 6 in PATH, and this is no Debian; install Swift 6 by hand"
can_be_root || fail "no Swift 6 in PATH, and neither root nor sudo to get it; on Debian 13 have these installed: $packages"
as_root unshare --mount --pid --fork true || fail "no Swift 6 in PATH, and this machine gives nobody mounts of his own"
space() {
    free_mib=$(($(df -Pk "$1" | awk 'NR == 2 { print $4 }') / 1024))
    [ "$free_mib" -ge "$needed_mib" ] || fail "Swift needs $needed_mib MiB in $1, and $free_mib MiB are free"
}
if [ "$*" = able ]; then
    space "$folder"
    exit 0
fi
# One at a time; who waited finds it done.
exec 9>"$folder/lock"
flock 9
if swift_here || jail_stands; then exit 0; fi

quietly() {
    "$@" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "this failed: $*"
    }
}
apt_get() { quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

# Where apt knows swiftlang 6, that is the way. It may know nothing before its first update.
apt_has_swift() {
    for version in $(apt-cache madison swiftlang 2>/dev/null | cut -d '|' -f 2); do
        if dpkg --compare-versions "$version" ge 6; then return 0; fi
    done
    return 1
}
apt_get update
if apt_has_swift; then
    space /usr
    say "setup: installing $packages by apt (about 3 GiB on disk)"
    # shellcheck disable=SC2086 # a list of package names
    apt_get install -y --no-install-recommends $packages
    swift_here || fail "swiftlang was installed, and PATH has no Swift 6"
    say "setup: done: $(swift --version 2>/dev/null | head -n 1)"
    exit 0
fi

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || fail "apt has no Swift 6, and this Debian has no code name; install Swift 6 by hand"
mirror=$(apt-cache policy | awk '/^ *[0-9-]+ [a-z+]+:\/\/.* '"$codename"'\/main / { print $2; exit }')
[ -n "$mirror" ] || fail "apt knows no mirror of $codename/main to take $suite from"
space "$folder"
say "setup: making target/swift/$suite, a Debian with $packages (about 3 GiB on disk, some minutes)"
have debootstrap || apt_get install -y --no-install-recommends debootstrap

# A half-made one never gets the final name. Nothing is mounted in it here: see in_jail.
part=$jail.part
as_root rm -rf --one-file-system "$part" "$jail"
# In a mount namespace, because debootstrap mounts /proc and an interrupted one leaves it.
quietly as_root unshare --mount debootstrap --variant=minbase --include=ca-certificates "$suite" "$part" "$mirror"
as_root cp /etc/resolv.conf "$part/etc/resolv.conf"
# A mirror may be signed by an authority that only this machine knows.
[ ! -s /etc/ssl/certs/ca-certificates.crt ] ||
    as_root cp /etc/ssl/certs/ca-certificates.crt "$part/etc/ssl/certs/ca-certificates.crt"
quietly in_jail "$part" 0:0 apt-get -q update
# shellcheck disable=SC2086
quietly in_jail "$part" 0:0 env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $packages
quietly in_jail "$part" 0:0 apt-get clean
printf '%s\n' "$recipe" | as_root tee "$part/etc/eft-recipe" >/dev/null
as_root mv "$part" "$jail"
version=$(in_jail "$jail" "$(id -u):$(id -g)" swift --version 2>/dev/null | head -n 1)
say "setup: done: $version, $(as_root du -sm "$jail" | cut -f 1) MiB in target/swift/$suite"
