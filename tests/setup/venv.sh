#!/bin/sh
# Makes the Python environment of the interop bot in tests/interop/venv, or leaves it alone when it is current.
set -eu
. "$(dirname -- "$0")/lib.sh"

venv=$root/tests/interop/venv
requirements=$root/tests/interop/requirements.txt
stamp=$venv/requirements.installed

if [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$stamp"; then exit 0; fi

have python3 || fail "no python3: run tests/setup/install.sh test"
say "setup: making tests/interop/venv"
rm -rf "$venv"
python3 -m venv "$venv" || fail "python3 cannot make environments: run tests/setup/install.sh test"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
cp "$requirements" "$stamp"
