#!/usr/bin/env python3
"""libFuzzer for a while, over one target of `eft-fuzz`, on the stable compiler.

    run.py TARGET MINUTES [SEED]   fuzz; what crashes is written to tests/fuzz/regressions, where the tests replay it;
                                   what is counted is seconds of the processor, for it may run beside other work
    run.py --build                 build only
    run.py --merge TARGET          copy what was found and covers more into tests/fuzz/corpus, to be looked at

What cargo-fuzz does on a nightly compiler is a few flags: LLVM's coverage pass is in every rustc, and libFuzzer comes
as C++ with libfuzzer-sys. Address sanitizing is not, and not missed: the code under test has no `unsafe`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FUZZ = HERE.parent
ROOT = FUZZ.parents[1]
sys.path.insert(0, str(ROOT / "tests/soak"))
import processor  # noqa: E402
# With a triple of its own, so that build scripts and macros are not instrumented.
TRIPLE = re.search(r"^host: (\S+)$", subprocess.check_output(["rustc", "-vV"], text=True, cwd=HERE), re.MULTILINE).group(1)
BUILD = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "libfuzzer"
PROGRAM = BUILD / TRIPLE / "release" / "eft-libfuzzer"
COVERAGE = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
]
# One input may not take longer, or more memory.
LIMITS = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096", "-len_control=20"]


def build():
    # The versions of the workspace; only libfuzzer-sys comes on top.
    shutil.copy(ROOT / "Cargo.lock", HERE / "Cargo.lock")
    environment = {**os.environ, "RUSTFLAGS": " ".join(COVERAGE), "CARGO_TARGET_DIR": str(BUILD)}
    subprocess.run(["cargo", "build", "--release", "--target", TRIPLE], check=True, cwd=HERE, env=environment)


def found(target):
    """What a target's runs on this machine have found so far."""
    folder = BUILD / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(target, minutes, seed):
    regressions = FUZZ / "regressions" / target
    regressions.mkdir(parents=True, exist_ok=True)
    known = set(regressions.iterdir())
    before, end = processor.seconds(), time.monotonic() + 60 * minutes
    executions, crashes, features = 0, 0, 0
    # libFuzzer ends at the first crash. An hour is an hour: it goes on with the next seed.
    while (left := int(end - time.monotonic())) > 0:
        command = [
            PROGRAM,
            f"-max_total_time={left}",
            f"-seed={seed}",
            f"-artifact_prefix={regressions}/",
            "-print_final_stats=1",
            *LIMITS,
            found(target),
            FUZZ / "corpus" / target,
            regressions,
        ]
        environment = {**os.environ, "EFT_FUZZ_TARGET": target}
        process = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        seed += 1
        executions += sum(map(int, re.findall(r"stat::number_of_executed_units: (\d+)", process.stderr)))
        features = max([features, *map(int, re.findall(r" ft: (\d+)", process.stderr))])
        if process.returncode and "libFuzzer: run interrupted" in process.stderr:
            # Whoever stops it has found nothing, and what it did counts.
            break
        if process.returncode:
            crashes += 1
            print("\n".join(line for line in process.stderr.splitlines() if not line.startswith("#"))[-4000:], flush=True)
            # A crash of the replayed inputs would come back at once, for ever.
            if not set(regressions.iterdir()) - known or crashes == 10:
                break
            known = set(regressions.iterdir())
    done = int(processor.seconds() - before)
    print(f"{target}: {executions} executions, {features} features, {crashes} crashes")
    if not any(regressions.iterdir()):
        regressions.rmdir()
    return done, seed, crashes


def merge(target):
    """Inputs that cover what the corpus does not, the smallest first, as files of the corpus."""
    corpus = FUZZ / "corpus" / target
    before = {path.name for path in corpus.iterdir()}
    environment = {**os.environ, "EFT_FUZZ_TARGET": target}
    subprocess.run([PROGRAM, "-merge=1", *LIMITS, corpus, found(target)], env=environment, check=True, stderr=subprocess.DEVNULL)
    added = [path for path in corpus.iterdir() if path.name not in before]
    for path in added:
        path.rename(corpus / hashlib.sha256(path.read_bytes()).hexdigest()[:12])
    print(f"{target}: {len(added)} added")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--build"]:
            build()
        case ["--merge", name]:
            build()
            merge(name)
        case [name, minutes, *rest] if minutes.isdigit() and (FUZZ / "corpus" / name).is_dir():
            build()
            first = int(rest[0]) if rest else 1
            done, next_seed, violations = run(name, int(minutes), first)
            print(f"soak fuzz-{name} seeds={first}..{next_seed} count={done} violations={violations}")
            sys.exit(violations > 0)
        case _:
            sys.exit(f"{__doc__}\nTargets: {', '.join(sorted(path.name for path in (FUZZ / 'corpus').iterdir()))}")
