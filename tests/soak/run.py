#!/usr/bin/env python3
"""Campaigns that are too long for `make test`, run in slices that continue from each other.

    tests/soak/run.py NAME MINUTES   run a slice and write its line into LEDGER.md
    tests/soak/run.py GROUP MINUTES  the same for the one of fuzz-*, long-* or miri-* that has least
    tests/soak/run.py --status       what each campaign has reached since the code under it last changed
    tests/soak/run.py --self-test    show that the sums are right

A campaign is a test whose short form runs with `make test`. Its long form takes the first seed and the time from
the environment and ends with a line `soak NAME seeds=A..B count=N violations=V` (tests/support/soak.rs). A test whose
long form is always the same is run once (`long-*`), and so is each part of the crate under Miri (`miri-*`).

`mutants` has a list of its own: tests/soak/mutants.py.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

import meaning
import mutants
import processor
from paths import ROOT, SOAK

LEDGER = SOAK / "LEDGER.md"
SUMMARY = re.compile(r"^soak (\S+) seeds=(\d+)\.\.(\d+) count=(\d+) violations=(\d+)$", re.MULTILINE)
LINE = re.compile(r"^\| (\S+) \| ([0-9a-f]{7,40}) \| (\d+)\.\.(\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Campaign:
    """What runs, what it is to reach, and the code that it speaks for: see meaning.py."""

    command: tuple[str, ...]
    target: int
    unit: str
    code: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    # It says nothing of seeds: to end well is all that there is to reach.
    once: bool = False


def test(package, binary, name):
    """The long form of a test."""
    return ("cargo", "test", "-p", package, "--test", binary, name, "--", "--nocapture")


def unit_test(*names):
    """The long form of tests inside the engine."""
    return ("cargo", "test", "-p", "eft-omemo", "--lib", "--", "--nocapture", *names)


def once(command, *code, **environment):
    return Campaign(command, 1, "run", code, environment, once=True)


def miri(*names, code):
    """Tests of the engine under Miri, on a nightly compiler: `rustup toolchain install nightly -c miri -c rust-src`.

    Those of our own reading and writing, and of what both stand on. Left out is what calculates on curves, so every test
    with a device in it, or goes over every bit or over megabytes: Miri takes a thousand times as long, and the code
    there is that of other crates or the same as here.
    """
    command = ("cargo", "+nightly", "miri", "test", "-p", "eft-omemo", "--lib", "--", *names)
    return once(command, *code, MIRIFLAGS="-Zmiri-disable-isolation", PROPTEST_CASES="8")


TYPES = "core/types/src"
ENGINE = "core/omemo/src"
ENGINES_TESTS = f"{ENGINE}/engine/tests"
# All that a client consists of.
CLIENT = ("core/client/src", "core/store/src", "core/xmpp/src", ENGINE, TYPES)
# Targets of tests/fuzz by the crate that they speak for, each with its own file and what all of them stand on.
FUZZ_COMMON = ("tests/fuzz/src/input.rs",)
FUZZ_ENGINE = ("tests/fuzz/src/fixture.rs", "tests/fuzz/src/device.rs", *FUZZ_COMMON)
FUZZ = (
    {
        name: (ENGINE, TYPES, f"tests/fuzz/src/omemo/{name}.rs", *FUZZ_ENGINE)
        for name in ("message", "bundle", "device_list", "record", "store", "name", "file")
    }
    | {"conversation": (ENGINE, TYPES, "tests/fuzz/src/conversation.rs", *FUZZ_ENGINE)}
    | {
        name: ("core/xmpp/src", TYPES, f"tests/fuzz/src/xmpp/{file}", "tests/fuzz/src/xmpp/mod.rs", *FUZZ_COMMON)
        for name, file in {
            **{name: f"{name}.rs" for name in ("stream", "stanza", "element", "envelope", "management", "kept")},
            "login": "login",
        }.items()
    }
)
STORE = ("core/store/src", TYPES, "core/store/tests/store/support.rs", "core/store/tests/store/processes.rs")
STORES_TESTS = "core/store/tests/store"
CAMPAIGNS = {
    "differential": Campaign(
        test("eft-tests", "differential", "both_implementations_agree_on_every_schedule_in_both_versions"),
        10_000,
        "schedules",
        (
            ENGINE,
            TYPES,
            "tests/differential/schedule.rs",
            "tests/differential/exchange.rs",
            "tests/differential/device.rs",
            "tests/differential/python.rs",
            "tests/interop/engines.py",
        ),
    ),
    "xeddsa": Campaign(
        test("eft-tests", "differential", "both_implementations_agree_on_signatures_of_either_sign"),
        100_000,
        "signatures",
        (f"{ENGINE}/crypto", f"{ENGINE}/key", "tests/differential/signatures.rs", "tests/differential/python.rs"),
    ),
    "r1": Campaign(
        unit_test("nine_devices_lose_no_message"),
        1_000_000,
        "steps",
        (ENGINE, TYPES, f"{ENGINES_TESTS}/soak", f"{ENGINE}/testing/device.rs", f"{ENGINE}/testing/randomness.rs"),
    ),
    "s1": Campaign(
        test("eft-tests", "killing", "a_process_that_is_killed_at_any_instant_loses_nothing_and_tells_nothing_twice"),
        10_000,
        "kills",
        (*CLIENT, "tests/killing"),
    ),
    "wake": Campaign(
        test("eft-tests", "waking", "whoever_a_push_wakes_and_whoever_is_killed_every_message_is_shown_once"),
        10_000,
        "pushes",
        (*CLIENT, "tests/waking"),
    ),
    "x9": Campaign(
        test("eft-tests", "kill_points", "a_process_that_is_killed_between_send_and_ack_has_sent_once"),
        10_000,
        "kill points",
        (*CLIENT, "tests/kill_points"),
    ),
    "x10": Campaign(
        test("eft-tests", "faults", "on_a_bad_network_nothing_is_lost_or_doubled_or_out_of_order"),
        1_000_000,
        "messages",
        (*CLIENT, "tests/faults"),
    ),
    "s2": Campaign(
        test("eft-store", "store", "after_a_power_cut_all_that_was_promised"),
        2000,
        "images",
        (*STORE, f"{STORES_TESTS}/power.rs", f"{STORES_TESTS}/vfs.rs", f"{STORES_TESTS}/kill.rs"),
    ),
    # Every call and every allocation, once.
    "s3": once(
        test("eft-store", "store", "a_failure_at_any_call_is_told"),
        *(*STORE, f"{STORES_TESTS}/faults.rs", f"{STORES_TESTS}/vfs.rs"),
        EFT_STORE_MEMORY_STEP="1",
    ),
    "s4": Campaign(
        test("eft-store", "store", "stopped_and_killed_at_random"),
        100_000,
        "messages",
        (*STORE, f"{STORES_TESTS}/lease.rs"),
    ),
    # From another language: what crosses is what counts, and not what the engine makes of it.
    "f2-kotlin": Campaign(
        ("tests/setup/kotlin.sh", "only", "Races"),
        100_000,
        "raced calls",
        ("bindings/src", "android/eft/src/main/kotlin/eft", "android/eft/src/test/kotlin/eft/RacesTest.kt"),
    ),
    "f2-swift": Campaign(
        ("ios/test.sh", "only", "RaceTests"),
        100_000,
        "raced calls",
        ("bindings/src", "ios/Sources/Eft", "ios/Tests/EftTests/RaceTests.swift"),
    ),
    "long-conversation": once(
        test("eft-tests", "faults", "on_a_bad_network_a_long_conversation_stays_whole"),
        *(*CLIENT, "tests/faults"),
        EFT_LONG="1",
    ),
    "long-timing": once(
        unit_test("crypto::tests::timing"),
        f"{ENGINE}/crypto",
        f"{ENGINE}/key/secret.rs",
        f"{ENGINE}/crypto/tests/timing.rs",
        EFT_TIMING_SAMPLES="1000000",
    ),
    "long-flips": once(
        unit_test("engine::tests::flips"), ENGINE, TYPES, f"{ENGINES_TESTS}/flips.rs", EFT_LONG="1"
    ),
    "long-counters": once(
        unit_test("engine::tests::counters"), ENGINE, TYPES, f"{ENGINES_TESTS}/counters.rs", EFT_LONG="1"
    ),
    "long-file": once(
        unit_test("a_large_file_takes_as_little_memory"), f"{ENGINE}/file", f"{ENGINE}/file/tests.rs", EFT_LONG="1"
    ),
    "miri-wire": miri(
        "wire::",
        "action::",
        "key::fingerprint::",
        "crypto::tests::padding",
        code=(f"{ENGINE}/wire", f"{ENGINE}/action.rs", f"{ENGINE}/key/fingerprint.rs", f"{ENGINE}/crypto/cbc.rs"),
    ),
    "miri-record": miri(
        "record::tests::keys::",
        "record::tests::no_bytes_make_a_decoder_panic",
        "session::tests::an_index",
        "session::tests::skipped_keys_expire",
        "session::tests::the_index_of_skipped_keys",
        code=(f"{ENGINE}/record", f"{ENGINE}/session"),
    ),
    "miri-payload": miri(
        *("payload::", "--skip", "any_flipped_bit"),
        code=(f"{ENGINE}/payload", f"{ENGINE}/crypto", f"{ENGINE}/profile"),
    ),
    "miri-file": miri(
        "file::",
        *("--skip", "wycheproof", "--skip", "any_flipped_bit", "--skip", "a_large_file", "--skip", "blocks_of_any"),
        code=(f"{ENGINE}/file",),
    ),
} | {
    # An hour of libFuzzer each, of the processor's time. It takes time and seed as arguments.
    f"fuzz-{name}": Campaign(
        ("tests/fuzz/libfuzzer/run.py", name, "{minutes}", "{seed}"), 3600, "seconds of processor time", code
    )
    for name, code in FUZZ.items()
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
    """Whether the code under a campaign means at a commit what it means now."""
    return lambda commit: meaning.changed(commit, campaign.code) == []


def reached(text, name):
    """What a campaign has reached: count and violations."""
    rows = valid(lines(text, name), is_current(CAMPAIGNS[name]))
    return sum(row[3] for row in rows), sum(row[4] for row in rows)


def least(counts):
    """The first of those that have least of their target: pairs of name and share."""
    return min(counts, key=lambda pair: pair[1])[0]


def choose(group):
    """The campaign of a group that has least."""
    text = LEDGER.read_text()
    names = [name for name in CAMPAIGNS if name.startswith(f"{group}-")]
    return least([(name, reached(text, name)[0] / CAMPAIGNS[name].target) for name in names])


def uncommitted(campaign):
    changed = meaning.changed("HEAD", campaign.code) or []
    new = git("ls-files", "--others", "--exclude-standard", "--", *campaign.code).split("\n")
    return changed + [path for path in new if path and meaning.matters(path, campaign.code)]


def run(name, minutes):
    campaign = CAMPAIGNS[name]
    if files := uncommitted(campaign):
        sys.exit(f"{', '.join(files)}: not committed. A line of the ledger names a commit.")
    commit = git("rev-parse", "--short=12", "HEAD")
    first = next_seed(lines(LEDGER.read_text(), name))
    environment = {**os.environ, **campaign.environment}
    if not campaign.once:
        environment |= {"EFT_SOAK": name, "EFT_SOAK_MINUTES": str(minutes), "EFT_SOAK_SEED": str(first)}
    command = [word.format(minutes=minutes, seed=first) for word in campaign.command]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        output = ""
        for line in child.stdout:
            print(line, end="", flush=True)
            output += line
    begin, end, count, violations = summary(name, campaign, output, child.returncode, first)
    with LEDGER.open("a") as ledger:
        ledger.write(f"| {name} | {commit} | {begin}..{end} | {count} | {violations} |\n")
    status(name)
    return child.returncode


def summary(name, campaign, output, code, first):
    """What the slice did: first seed, next seed, count, violations."""
    if campaign.once:
        # A filter that fits no test is no run.
        passed = sum(int(number) for number in re.findall(r"^test result: .* (\d+) passed;", output, re.MULTILINE))
        if code == 0 and not passed:
            sys.exit(f"{name}: no test ran")
        return first, first + 1, int(code == 0), int(code != 0)
    found = [match.groups() for match in SUMMARY.finditer(output) if match.group(1) == name]
    if not found:
        sys.exit(f"{name}: the test said nothing of what it did (exit code {code})")
    return found[-1][1:]


def status(only=None):
    text = LEDGER.read_text()
    for name, campaign in CAMPAIGNS.items():
        if only not in (None, name):
            continue
        count, violations = reached(text, name)
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
    assert least([("a", 0.5), ("b", 0.1), ("c", 0.1)]) == "b"
    single = once(("true",))
    passed = "test result: ok. 3 passed; 0 failed; 0 ignored\n"
    assert summary("a", single, passed, 0, 1) == (1, 2, 1, 0) and summary("a", single, passed, 1, 4) == (4, 5, 0, 1)
    try:
        summary("a", single, "test result: ok. 0 passed; 0 failed; 0 ignored\n", 0, 1)
    except SystemExit:
        pass
    else:
        raise AssertionError("a run of no test counts")
    # What a campaign names is there: a file that moved would take its campaign's memory with it, silently.
    for name, campaign in CAMPAIGNS.items():
        for entry in campaign.code:
            assert (ROOT / entry).exists(), f"{name}: {entry}"
    meaning.self_test()
    processor.self_test()
    mutants.self_test()
    print("run.py: the sums are right")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--status"]:
            status()
            mutants.status()
        case ["--self-test"]:
            self_test()
        case ["mutants", minutes] if minutes.isdigit():
            sys.exit(mutants.run(int(minutes)))
        case [name, minutes] if name in CAMPAIGNS and minutes.isdigit():
            sys.exit(run(name, int(minutes)))
        case [group, minutes] if any(name.startswith(f"{group}-") for name in CAMPAIGNS) and minutes.isdigit():
            sys.exit(run(choose(group), int(minutes)))
        case _:
            sys.exit(f"{__doc__}\nCampaigns: mutants, {', '.join(CAMPAIGNS)}")
