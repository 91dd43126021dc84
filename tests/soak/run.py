#!/usr/bin/env python3
"""Campaigns that are too long for `make test`, run in slices that continue from each other.

    tests/soak/run.py NAME MINUTES   run a slice and write its line into LEDGER.md
    tests/soak/run.py --status       what each campaign has reached since the code under it last changed
    tests/soak/run.py --self-test    show that the sums are right

A campaign is a test whose short form runs with `make test`. Its long form takes the first seed and the time from
the environment and ends with a line `soak NAME seeds=A..B count=N violations=V` (tests/support/soak.rs).
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "tests/soak/LEDGER.md"
SUMMARY = re.compile(r"^soak (\S+) seeds=(\d+)\.\.(\d+) count=(\d+) violations=(\d+)$", re.MULTILINE)
LINE = re.compile(r"^\| (\S+) \| ([0-9a-f]{7,40}) \| (\d+)\.\.(\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Campaign:
    """What runs, what it is to reach, and the code that it speaks for."""

    command: tuple[str, ...]
    target: int
    unit: str
    code: tuple[str, ...]


def test(package, binary, name):
    """The long form of a test."""
    return ("cargo", "test", "-p", package, "--test", binary, name, "--", "--nocapture")


# Targets of tests/fuzz, by the code that they speak for.
FUZZ = {
    "core/omemo/src": ("message", "bundle", "device_list", "record", "store", "name", "conversation"),
    "core/xmpp/src": ("stream", "login", "stanza", "element", "envelope", "management"),
}
CAMPAIGNS = {
    "differential": Campaign(
        test("eft-tests", "differential", "both_implementations_agree_on_every_schedule_in_both_versions"),
        10_000,
        "schedules",
        ("core/omemo/src", "tests/differential/schedule.rs", "tests/interop/engines.py"),
    ),
    "xeddsa": Campaign(
        test("eft-tests", "differential", "both_implementations_agree_on_signatures_of_either_sign"),
        100_000,
        "signatures",
        ("core/omemo/src/crypto", "core/omemo/src/key", "tests/differential/signatures.rs"),
    ),
    "r1": Campaign(
        ("cargo", "test", "-p", "eft-omemo", "--lib", "nine_devices_lose_no_message", "--", "--nocapture"),
        1_000_000,
        "steps",
        ("core/omemo/src",),
    ),
} | {
    # An hour of libFuzzer each. It takes time and seed as arguments.
    f"fuzz-{target}": Campaign(
        ("tests/fuzz/libfuzzer/run.py", target, "{minutes}", "{seed}"), 60, "minutes", (code, "tests/fuzz/src")
    )
    for code, targets in FUZZ.items()
    for target in targets
}


def git(*args):
    return subprocess.run(["git", "-C", ROOT, *args], check=True, capture_output=True, text=True).stdout.strip()


def lines(text, name):
    """Slices of a campaign in the order they were run: commit, first seed, next seed, count, violations."""
    found = [match.groups() for match in LINE.finditer(text)]
    return [(row[1], *map(int, row[2:])) for row in found if row[0] == name]


def next_seed(rows):
    return max((row[2] for row in rows), default=1)


def valid(rows, is_current):
    """Slices that speak for the code as it is now: those since it last changed."""
    return [row for row in rows if is_current(row[0])]


def is_current(campaign):
    """Whether the code under a campaign is at a commit what it is now."""

    def unchanged(commit):
        known = subprocess.run(["git", "-C", ROOT, "cat-file", "-e", commit], capture_output=True, check=False)
        if known.returncode:
            return False
        diff = ["git", "-C", ROOT, "diff", "--quiet", commit, "--", *campaign.code]
        return subprocess.run(diff, check=False).returncode == 0

    return unchanged


def run(name, minutes):
    campaign = CAMPAIGNS[name]
    if git("status", "--porcelain", "--", *campaign.code):
        sys.exit(f"{', '.join(campaign.code)}: not committed. A line of the ledger names a commit.")
    commit = git("rev-parse", "--short=12", "HEAD")
    first = next_seed(lines(LEDGER.read_text(), name))
    environment = {
        **os.environ,
        "EFT_SOAK": name,
        "EFT_SOAK_MINUTES": str(minutes),
        "EFT_SOAK_SEED": str(first),
    }
    command = [word.format(minutes=minutes, seed=first) for word in campaign.command]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        output = ""
        for line in child.stdout:
            print(line, end="", flush=True)
            output += line
    found = [match.groups() for match in SUMMARY.finditer(output) if match.group(1) == name]
    if not found:
        sys.exit(f"{name}: the test said nothing of what it did (exit code {child.returncode})")
    _, begin, end, count, violations = found[-1]
    with LEDGER.open("a") as ledger:
        ledger.write(f"| {name} | {commit} | {begin}..{end} | {count} | {violations} |\n")
    status(name)
    return child.returncode


def status(only=None):
    text = LEDGER.read_text()
    for name, campaign in CAMPAIGNS.items():
        if only not in (None, name):
            continue
        rows = valid(lines(text, name), is_current(campaign))
        count, violations = sum(row[3] for row in rows), sum(row[4] for row in rows)
        verdict = "reached" if count >= campaign.target and not violations else "open"
        print(f"{name}: {count} of {campaign.target} {campaign.unit}, {violations} violations: {verdict}")


def self_test():
    text = "\n".join([
        "| campaign | commit | seeds | count | violations |",
        "|---|---|---|---|---|",
        "| a | 1111111 | 1..5 | 40 | 1 |",
        "| b | 2222222 | 1..3 | 7 | 0 |",
        "| a | 2222222 | 5..9 | 50 | 0 |",
    ])
    assert lines(text, "a") == [("1111111", 1, 5, 40, 1), ("2222222", 5, 9, 50, 0)]
    assert next_seed(lines(text, "a")) == 9 and next_seed(lines(text, "c")) == 1
    assert valid(lines(text, "a"), lambda commit: commit == "2222222") == [("2222222", 5, 9, 50, 0)]
    assert SUMMARY.search("x\nsoak a seeds=1..5 count=40 violations=1\n").groups() == ("a", "1", "5", "40", "1")
    print("run.py: the sums are right")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--status"]:
            status()
        case ["--self-test"]:
            self_test()
        case [name, minutes] if name in CAMPAIGNS and minutes.isdigit():
            sys.exit(run(name, int(minutes)))
        case _:
            sys.exit(f"{__doc__}\nCampaigns: {', '.join(CAMPAIGNS)}")
