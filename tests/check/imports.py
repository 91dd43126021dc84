#!/usr/bin/env python3
"""Checks the directions between the layers: who may import whom, and what a layer may never touch.

    imports.py              checks the workspace
    imports.py --self-test  proves that each rule fails on a planted violation

Three kinds of rule, each a table below: dependencies between our packages, foreign packages that a layer stays
away from, and words (clock calls, sockets, `unsafe`) that may stand in certain files only. Dependencies are read
from `cargo metadata`; dev-dependencies may be anything but a higher layer.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Package -> the packages of ours that it may depend on. A package that is not listed here fails the check.
MAY_IMPORT = {
    "eft-types": set(),
    "eft-omemo": {"eft-types"},
    "eft-xmpp": {"eft-types"},
    "eft-store": {"eft-types", "eft-omemo"},
    "eft": {"eft-types", "eft-omemo", "eft-store", "eft-xmpp"},
    "eft-cli": {"eft"},
    "eft-ffi": {"eft", "eft-types"},
    "eft-bindgen": set(),
    "eft-bench": {"eft-omemo", "eft-store", "eft-types"},
    "eft-fuzz": {"eft-omemo", "eft-types", "eft-xmpp"},
    "eft-tests": {"eft", "eft-bench", "eft-cli", "eft-ffi", "eft-omemo", "eft-store", "eft-types", "eft-xmpp"},
}

XML = {"minidom", "rxml", "xmpp-parsers", "xso"}
SQL = {"libsqlite3-sys", "rusqlite"}
NETWORK = {"hickory-resolver", "rustls", "rustls-native-certs", "tokio-rustls", "webpki-roots"}
RUNTIME = {"tokio"}
RANDOM_SOURCE = {"getrandom", "rand"}
CURVES = {"curve25519-dalek", "ed25519-dalek", "x25519-dalek"}
CIPHERS = {"aes", "aes-gcm", "cbc"}
BINDINGS = {"uniffi"}

# Package -> foreign packages it may not depend on.
MAY_NOT_USE = {
    "eft-types": XML | SQL | NETWORK | RUNTIME | RANDOM_SOURCE | CURVES | CIPHERS | BINDINGS | {"serde", "tracing"},
    "eft-omemo": XML | SQL | NETWORK | RUNTIME | RANDOM_SOURCE | BINDINGS | {"keyring"},
    # Hashes serve SCRAM; ciphers and curves would be the cryptography of messages.
    "eft-xmpp": SQL | RANDOM_SOURCE | CURVES | CIPHERS | BINDINGS | {"keyring"},
    # Ciphers encrypt the file. The random source is what SQLCipher asks of its provider, without an argument for it.
    "eft-store": XML | NETWORK | RUNTIME | CURVES | BINDINGS | {"rand"},
    "eft": SQL | CURVES | CIPHERS | BINDINGS,
    "eft-cli": XML | SQL | NETWORK | CURVES | CIPHERS | BINDINGS,
    "eft-ffi": XML | SQL | NETWORK | CURVES | CIPHERS | RANDOM_SOURCE,
}

CLOCK = r"\b(?:SystemTime|Instant)\s*::\s*now\b"
SOCKETS = r"\b(?:tokio|std)\s*::\s*net\b|\btokio_rustls\b|\bhickory_resolver\b"
UNSAFE = r"\bunsafe\b|\bunsafe_code\b"

# Files of tests, which measure time and break rules on purpose; `unsafe` is no such rule.
TEST_FILE = re.compile(r"/(?:tests|testing)/|/tests\.rs$")

# (pattern, folder it is forbidden in, parts of it that are exempt, why)
FORBIDDEN_WORDS = [
    (CLOCK, "core/types/src", (), "time is an argument"),
    (CLOCK, "core/omemo/src", (), "time is an argument"),
    (CLOCK, "core/xmpp/src", ("core/xmpp/src/driver",), "time is an argument"),
    # Whoever asks for a lease waits for its holder, and waiting has an end.
    (CLOCK, "core/store/src", ("core/store/src/store/lease",), "time is an argument"),
    (SOCKETS, "core/xmpp/src", ("core/xmpp/src/driver",), "the only sockets are in `driver`"),
    (SOCKETS, "core/omemo/src", (), "the engine is pure"),
    (SOCKETS, "core/store/src", (), "the store knows no network"),
    (
        UNSAFE,
        "core",
        (
            # SQLCipher calls its cipher provider through C function pointers.
            "core/store/src/cipher_provider",
            # Processes share the lease in a mapped file.
            "core/store/src/lease/mapped",
            # SQLite calls its file system through C function pointers, and the one of the tests fails on purpose.
            "core/store/tests/store/vfs",
        ),
        "unsafe code lives in named modules only",
    ),
]


def dependency_faults(packages):
    """Faults in what the packages of `cargo metadata` depend on."""
    names = {package["name"] for package in packages}
    for package in packages:
        name = package["name"]
        if name not in MAY_IMPORT:
            yield f"{name}: has no place in the table of layers (tests/check/imports.py)"
            continue
        for dependency in package["dependencies"]:
            other, kind = dependency["name"], dependency["kind"] or "normal"
            if other in names:
                if other not in MAY_IMPORT[name] and other != name:
                    yield f"{name}: may not import {other} ({kind} dependency)"
            elif kind != "dev" and other in MAY_NOT_USE.get(name, ()):
                yield f"{name}: may not use {other} ({kind} dependency)"


def word_faults(root):
    """Faults in what the source files say, comments and strings aside."""
    for pattern, folder, exempt, why in FORBIDDEN_WORDS:
        for file in sorted((root / folder).rglob("*.rs")):
            path = file.relative_to(root).as_posix()
            if any(path == part + ".rs" or path.startswith(part + "/") for part in exempt):
                continue
            if pattern is CLOCK and TEST_FILE.search(path):
                continue
            for number, line in enumerate(code_only(file.read_text()).splitlines(), 1):
                found = re.search(pattern, line)
                if found:
                    yield f"{path}:{number}: `{found.group()}` may not stand here: {why}"


TOKENS = re.compile(
    r"""//[^\n]*"""  # line comment
    r"""|/\*.*?\*/"""  # block comment
    r"""|r(?P<hashes>\#*)".*?"(?P=hashes)"""  # raw string
    r"""|"(?:\\.|[^"\\])*\""""  # string
    r"""|'(?:\\.[^']*|[^'\\\n])'""",  # character, not a lifetime
    re.DOTALL | re.VERBOSE,
)


def code_only(text):
    """Rust source with comments, strings and characters blanked out and line numbers kept."""
    return TOKENS.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def metadata():
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"imports: cargo metadata failed:\n{answer.stderr}")
    return json.loads(answer.stdout)["packages"]


def self_test():
    def package(name, *dependencies):
        return {"name": name, "dependencies": [{"name": other, "kind": kind} for other, kind in dependencies]}

    ours = [package(name) for name in MAY_IMPORT if name != "eft-omemo"]
    planted = {
        "upward import": package("eft-omemo", ("eft-store", None)),
        "upward import for tests": package("eft-omemo", ("eft", "dev")),
        "tests imported": package("eft-omemo", ("eft-tests", None)),
        "runtime in the engine": package("eft-omemo", ("tokio", None)),
        "build-time SQL in the engine": package("eft-omemo", ("rusqlite", "build")),
    }
    for name, fault in planted.items():
        assert list(dependency_faults([*ours, fault])), f"not noticed: {name}"
    assert list(dependency_faults([package("eft-new")])), "not noticed: package without a place"
    good = package("eft-omemo", ("eft-types", None), ("aes", None), ("tokio", "dev"))
    assert not list(dependency_faults([*ours, good])), "a clean package was refused"

    words = {
        "core/omemo/src/a.rs": "fn f() { let t = std::time::SystemTime::now(); }",
        "core/xmpp/src/b.rs": "use tokio::net::TcpStream;",
        "core/xmpp/src/driver_like.rs": "let t = Instant :: now();",
        "core/omemo/src/testament.rs": "let t = Instant::now();",
        "core/omemo/src/engine/tests/f.rs": "unsafe { call() }",
        "core/client/src/c.rs": "#![allow(unsafe_code)]",
        "core/store/src/d.rs": "/* fine */ unsafe { call() }",
    }
    clean = {
        "core/xmpp/src/driver/tcp.rs": "use tokio::net::TcpStream; let t = Instant::now();",
        "core/store/src/cipher_provider/mod.rs": "unsafe { call() }",
        "core/omemo/src/engine/tests/g.rs": "let t = Instant::now();",
        "core/xmpp/src/stream/tests.rs": "let t = Instant::now();",
        "core/omemo/src/e.rs": "// unsafe, Instant::now()\nlet s = \"unsafe\"; let r = r#\"tokio::net \"unsafe\" \"#;\nfn f<'a>(c: char) -> bool { c == '\"' }",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in {**words, **clean}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        faults = list(word_faults(root))
    for path in words:
        assert any(fault.startswith(path + ":") for fault in faults), f"not noticed: {path}"
    for path in clean:
        assert not any(fault.startswith(path + ":") for fault in faults), f"refused though clean: {path}"
    print(f"imports: self-test passed, {len(planted) + 1 + len(words)} planted violations noticed")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    packages = metadata()
    faults = [*dependency_faults(packages), *word_faults(ROOT)]
    if faults:
        sys.exit("\n".join(["imports:", *faults]))
    print(f"imports: {len(packages)} packages keep their directions")


if __name__ == "__main__":
    main()
