"""What a campaign speaks for: whether the code that it went through is now what it was at a commit.

Comments change nothing that a campaign could find, and neither do tests that are not the campaign's own. So files are
compared without comments and without the tests at their bottom, and those of nothing but tests are left out unless an
entry of the campaign names them.
"""

import re
import subprocess
from pathlib import PurePosixPath

from paths import ROOT

TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* )
    | (?P<literal> /\*.*?\*/ | b?r(?P<hashes>\#*)".*?"(?P=hashes) | b?"(?:\\.|[^"\\])*" | '(?:\\[^']+|[^'\\\n])' )
    | (?P<space> \s+ )
    | (?P<other> \w+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
# Formatted: what begins in the first column ends there.
TESTS_AT_THE_BOTTOM = re.compile(r"^#\[cfg\(test\)\]\nmod tests \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def without_comments(source):
    return "".join("" if match["comment"] else match[0] for match in TOKEN.finditer(source))


def meaning(path, text):
    """What the compiler makes of a file, near enough: two files of one meaning differ in nothing that runs."""
    if not path.endswith(".rs"):
        return text
    text = TESTS_AT_THE_BOTTOM.sub("", re.sub(r"[ \t]+\n", "\n", without_comments(text)))
    words = (" " if match["space"] else match[0] for match in TOKEN.finditer(text))
    return re.sub(r"^ | $", "", "".join(words))


def is_test(relative):
    """Whether a path, from the entry that it is found under, is one of tests only."""
    path = PurePosixPath(relative)
    return path.name == "tests.rs" or bool({"tests", "testing"} & set(path.parts[:-1]))


def matters(path, entries):
    """Whether a file is one that a campaign goes through: under an entry, and under it not among tests."""
    for entry in entries:
        if path == entry:
            return True
        if path.startswith(entry + "/") and not is_test(path.removeprefix(entry + "/")):
            return True
    return False


def git(*args):
    """The output; `None` where git says no."""
    done = subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, errors="replace", check=False)
    return done.stdout if done.returncode == 0 else None


def changed(commit, entries):
    """Files under the entries that mean something else now than at the commit. `None` if the commit is not known."""
    listed = git("diff", "--name-only", "--no-renames", commit, "--", *entries)
    if listed is None:
        return None
    files = [path for path in listed.split("\n") if path and matters(path, entries)]
    return [path for path in files if then(commit, path) != now(path)]


def then(commit, path):
    text = git("show", f"{commit}:{path}")
    return None if text is None else meaning(path, text)


def now(path):
    file = ROOT / path
    return meaning(path, file.read_text(errors="replace")) if file.is_file() else None


def self_test():
    same = meaning("a.rs", "fn f() {}\n")
    assert meaning("a.rs", "/// Says so.\nfn f()  // why\n{}\n") == same
    assert meaning("a.rs", "/// Says so.\nfn f() {} // why\n") == same
    assert meaning("a.rs", "//! Of a file.\n\nfn f() {}\n") == same
    assert meaning("a.rs", "fn g() {}\n") != same
    # What looks like a comment and is none.
    assert meaning("a.rs", 'const A: &str = "// a";') != meaning("a.rs", 'const A: &str = "// b";')
    assert meaning("a.rs", 'f("\\"// a")') != meaning("a.rs", 'f("\\"// b")')
    assert meaning("a.rs", 'f(r#""// a"#)') != meaning("a.rs", 'f(r#""// b"#)')
    assert meaning("a.rs", "f('\"', '/', a // b\n, '\"', c)") == meaning("a.rs", "f('\"', '/', a\n, '\"', c)")
    assert meaning("a.rs", "f('\"'); // a\ng('\"')") == meaning("a.rs", "f('\"');\ng('\"')")
    assert meaning("a.rs", "fn f<'a>(x: &'a str) {} // 'a\n") == meaning("a.rs", "fn f<'a>(x: &'a str) {}\n")
    assert meaning("a.rs", '"a  b"') != meaning("a.rs", '"a b"')
    # Tests at the bottom.
    assert meaning("a.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n") == same
    assert meaning("a.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n}\nfn g() {}\n") != same
    assert meaning("a.py", "# a") != meaning("a.py", "# b")
    # Which files.
    entries = ("core/omemo/src", "core/omemo/src/engine/tests/soak", "core/omemo/src/testing/device.rs")
    for path, expected in [
        ("core/omemo/src/engine/send.rs", True),
        ("core/omemo/src/engine/tests/flips.rs", False),
        ("core/omemo/src/file/tests.rs", False),
        ("core/omemo/src/testing/points.rs", False),
        ("core/omemo/src/testing/device.rs", True),
        ("core/omemo/src/engine/tests/soak/mod.rs", True),
        ("core/omemo/src2/engine.rs", False),
        ("tests/fuzz/src/input.rs", False),
    ]:
        assert matters(path, entries) == expected, path
    assert matters("tests/fuzz/src/input.rs", ("tests/fuzz/src",)), "an entry's own folders are no tests of it"
    # Against this repository's history: a commit says the same as itself, and an unknown one says nothing.
    assert changed("0" * 40, entries) is None
