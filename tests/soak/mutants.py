"""Mutants of the engine, in slices that continue: what cargo-mutants would change, and whether a test notices.

cargo-mutants lists them; each is built and tested here, because one that takes seconds instead of a minute can be run
for all of the engine. A copy of the committed tree is changed, never the checkout. First come the tests that are quick,
and all of them for what those let through. Left out are only tests that measure time: beside other work they would fail
for any mutant. What runs away is stopped by the processor time that it took, so that a busy machine stops nothing.

MUTANTS.txt has one line for each that was judged: verdict, commit, mutant. It counts until the mutant's file changes,
and a survivor is tried again when there are other tests. A survivor that stays has its reason in SURVIVORS.md.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

import meaning
from paths import ROOT, SOAK

LIST = SOAK / "MUTANTS.txt"
SURVIVORS = ROOT / "core/omemo/SURVIVORS.md"
PACKAGE, SOURCE = "eft-omemo", "core/omemo/src"
# Share of the viable ones that a test has to notice.
TARGET = 0.90
VERDICTS = ("caught", "timeout", "survived", "unviable")
LINE = re.compile(rf"^({'|'.join(VERDICTS)}) ([0-9a-f]{{7,40}}) (\S+\.rs: .+)$", re.MULTILINE)
TOTAL = re.compile(r"^# (\d+) mutants$", re.MULTILINE)
REASON = re.compile(r"^- `(\S+\.rs: .+)`: \S", re.MULTILINE)

# The engine unoptimised builds in seconds; what it stands on is optimised as always.
PROFILE = ("--config", f"profile.dev.package.{PACKAGE}.opt-level=0", "--config", "profile.dev.debug=0")
# They measure time, of code that is optimised.
TIMED = ("timing", "cost_little", "costs_little")
SLOW = (
    "tests::soak",
    "tests::flips",
    "tests::memory",
    "interleaving",
    "counters",
    "two_hundred_exchanges",
    "a_skipped_key_is_not_kept_for_ever",
    "no_bytes_make_the_engine_panic",
    "in_any_order_with_repetitions",
    "no_flipped_bit",
    "is_authentic_but_for",
    "a_large_file",
    "used_prekeys_are_kept_up_to_a_limit",
)
# What matters most comes first.
ORDER = ("engine/", "session/", "crypto/", "record/", "profile/", "wire/", "x3dh/", "trust/", "payload/", "bundle", "file/")
# Several times what the tests take without a mutant.
QUICK_SECONDS, PROCESSOR_SECONDS, MEMORY_BYTES, WALL_SECONDS = 60, 300, 6 << 30, 1800


def named(found):
    """Mutants by a name that stands when lines move: file, change, and which of several alike."""
    count = Counter()
    by_name = {}
    for mutant in sorted(found, key=lambda each: (each["file"], each["span"]["start"]["line"], each["span"]["start"]["column"])):
        path, _, _, change = mutant["name"].split(":", 3)
        name = f"{path.removeprefix(SOURCE + '/')}:{change}"
        count[name] += 1
        by_name[name if count[name] == 1 else f"{name} #{count[name]}"] = mutant
    return by_name


def ordered(names):
    def place(name):
        return next((at for at, start in enumerate(ORDER) if name.startswith(start)), len(ORDER))

    return sorted(names, key=place)


def judged(text, is_current):
    """The last verdict on each mutant whose file is what it was: name to verdict and commit."""
    verdicts = {}
    for verdict, commit, name in LINE.findall(text):
        if is_current(commit, name):
            verdicts[name] = (verdict, commit)
    return verdicts


@cache
def file_is_current(commit, file):
    return meaning.changed(commit, (f"{SOURCE}/{file}",)) == []


def is_current(commit, name):
    return file_is_current(commit, name.split(":", 1)[0])


@cache
def tests_are_as(commit):
    """Whether the engine's tests are what they were: nothing in the crate's folder changed but comments of its code."""
    listed = meaning.git("diff", "--name-only", "--no-renames", commit, "--", SOURCE)
    return listed is not None and not any(meaning.is_test(path.removeprefix(SOURCE + "/")) for path in listed.split())


def explained():
    return set(REASON.findall(SURVIVORS.read_text())) if SURVIVORS.exists() else set()


def sums(verdicts, total, reasons):
    """The line that says how it stands, and whether it is reached."""
    count = Counter(verdict for verdict, _ in verdicts.values())
    caught = count["caught"] + count["timeout"]
    viable = caught + count["survived"]
    survivors = {name for name, (verdict, _) in verdicts.items() if verdict == "survived"}
    unexplained = survivors - reasons
    share = caught / viable if viable else 0.0
    is_reached = len(verdicts) >= total > 0 and share >= TARGET and not unexplained
    line = (
        f"mutants: {len(verdicts)} of {total} judged, {caught} of {viable} viable caught ({100 * share:.1f} %), "
        f"{len(survivors)} survivors, {len(unexplained)} without a reason: {'reached' if is_reached else 'open'}"
    )
    return line, is_reached


def status():
    text = LIST.read_text() if LIST.exists() else ""
    total = TOTAL.search(text)
    print(sums(judged(text, is_current), int(total[1]) if total else 0, explained())[0])


class Workshop:
    """A copy of the committed tree, with a target folder that stays warm."""

    def __init__(self):
        base = Path(os.environ.get("EFT_MUTANTS_DIR") or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutants")
        self.tree = base / "tree"
        self.environment = {**os.environ, "CARGO_TARGET_DIR": str(base / "target"), "RUSTFLAGS": "-Awarnings"}
        shutil.rmtree(self.tree, ignore_errors=True)
        self.tree.mkdir(parents=True)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", "HEAD"], stdout=subprocess.PIPE)
        # With today's times: cargo goes by them.
        subprocess.run(["tar", "-x", "-m", "-C", self.tree], stdin=archive.stdout, check=True)
        if archive.wait():
            sys.exit("git archive failed")

    def list(self):
        command = ["cargo", "mutants", "--list", "--json", "--diff", "-p", PACKAGE]
        done = subprocess.run(command, cwd=self.tree, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stderr}\ncargo-mutants is not there? `cargo install --locked cargo-mutants`")
        return named(json.loads(done.stdout))

    def build(self):
        """The test program; `None` if it does not compile."""
        command = ["cargo", "test", "-p", PACKAGE, "--lib", "--no-run", "--message-format=json", *PROFILE]
        done = subprocess.run(
            command, cwd=self.tree, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        )
        if done.returncode:
            return None
        messages = (json.loads(line) for line in done.stdout.splitlines())
        found = [message["executable"] for message in messages if message.get("executable")]
        return found[-1]

    def passes(self, program, seconds, *skipped):
        """`True`, or `False` at the first failure, or `None` if it ran away."""
        skips = [word for name in skipped for word in ("--skip", name)]
        with subprocess.Popen(
            [program, *skips],
            cwd=self.tree / "core/omemo",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            preexec_fn=lambda: limit(seconds),
        ) as child:
            # One that waits for ever takes no processor time.
            patience = threading.Timer(WALL_SECONDS, child.send_signal, [signal.SIGXCPU])
            patience.start()
            for line in child.stdout:
                if line.rstrip().endswith("FAILED"):
                    child.kill()
                    patience.cancel()
                    return False
            child.wait()
            patience.cancel()
        if child.returncode == -signal.SIGXCPU:
            return None
        return child.returncode == 0

    def judge(self, mutant):
        path = self.tree / mutant["file"]
        original = path.read_bytes()
        try:
            subprocess.run(["patch", "--silent", path], input=mutant["diff"], text=True, check=True)
            if (program := self.build()) is None:
                return "unviable"
            for seconds, skipped in ((QUICK_SECONDS, (*TIMED, *SLOW)), (PROCESSOR_SECONDS, TIMED)):
                passes = self.passes(program, seconds, *skipped)
                if passes is not True:
                    return "timeout" if passes is None else "caught"
            return "survived"
        finally:
            path.write_bytes(original)
            path.with_suffix(".rs.orig").unlink(missing_ok=True)


def limit(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(minutes):
    end = time.monotonic() + 60 * minutes
    dirty = meaning.git("status", "--porcelain", "--", SOURCE)
    if dirty:
        sys.exit(f"{dirty}\nnot committed. A line of the list names a commit.")
    commit = meaning.git("rev-parse", "--short=12", "HEAD").strip()
    workshop = Workshop()
    mutants = workshop.list()
    text = LIST.read_text() if LIST.exists() else ""
    text = TOTAL.sub("", text).lstrip("\n")
    verdicts = {name: what for name, what in judged(text, is_current).items() if name in mutants}
    LIST.write_text(f"# {len(mutants)} mutants\n" + "".join(f"{verdict} {at} {name}\n" for name, (verdict, at) in sorted(verdicts.items())))
    program = workshop.build()
    if program is None or workshop.passes(program, PROCESSOR_SECONDS, *TIMED) is not True:
        sys.exit("the tests fail without any mutant")
    reasons = explained()
    again = [
        name
        for name, (verdict, at) in verdicts.items()
        if verdict == "survived" and name not in reasons and not tests_are_as(at)
    ]
    # What was let through comes first: there are tests now that were written for it.
    for name in [*ordered(again), *ordered(name for name in mutants if name not in verdicts)]:
        if time.monotonic() >= end:
            break
        verdict = workshop.judge(mutants[name])
        verdicts[name] = (verdict, commit)
        with LIST.open("a") as judgements:
            judgements.write(f"{verdict} {commit} {name}\n")
        if verdict == "survived":
            print(f"survived: {name}", flush=True)
    line, is_reached = sums(verdicts, len(mutants), reasons)
    print(line)
    return int(not is_reached)


def self_test():
    def mutant(line, change):
        return {"file": f"{SOURCE}/a.rs", "name": f"{SOURCE}/a.rs:{line}:5: {change}", "span": {"start": {"line": line, "column": 5}}}

    found = named([mutant(12, "replace < with <= in f"), mutant(3, "replace < with <= in f"), mutant(7, "replace g with ()")])
    assert list(found) == ["a.rs: replace < with <= in f", "a.rs: replace g with ()", "a.rs: replace < with <= in f #2"]
    assert found["a.rs: replace < with <= in f #2"]["span"]["start"]["line"] == 12
    assert ordered(["a.rs: x", "file/a.rs: x", "engine/a.rs: x"]) == ["engine/a.rs: x", "file/a.rs: x", "a.rs: x"]
    text = "# 3 mutants\ncaught 1111111 a.rs: x\nsurvived 2222222 a.rs: x\ncaught 1111111 b.rs: y || z\nunviable 1111111 c.rs: z\n"
    assert TOTAL.search(text)[1] == "3"
    verdicts = judged(text, lambda commit, _: True)
    assert verdicts == {"a.rs: x": ("survived", "2222222"), "b.rs: y || z": ("caught", "1111111"), "c.rs: z": ("unviable", "1111111")}
    assert "a.rs: x" not in judged(text, lambda _, name: not name.startswith("a.rs"))
    many = {str(at): ("caught", "1") for at in range(19)} | {"a.rs: x": ("survived", "1")}
    # All judged, enough caught, every survivor with its reason: less is not reached.
    assert sums(many, 20, {"a.rs: x"})[1]
    assert not sums(many, 21, {"a.rs: x"})[1] and not sums(many, 20, set())[1] and not sums({}, 0, set())[1]
    few = {str(at): ("caught", "1") for at in range(8)} | {"a.rs: x": ("survived", "1"), "b": ("unviable", "1")}
    assert not sums(few, 10, {"a.rs: x"})[1], "8 of 9 are less than nine of ten"
    assert REASON.findall("- `a.rs: replace || with && in f`: no difference.\n- `b.rs: x`:\n") == ["a.rs: replace || with && in f"]


if __name__ == "__main__":
    sys.exit(__doc__)
