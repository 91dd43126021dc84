"""Processor time of children: a campaign that runs niced beside other work counts what it got, not how long it sat there."""

import resource
import subprocess
import sys


def seconds():
    """What all children that have ended took, with theirs, as far as they waited for them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def self_test():
    before = seconds()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(1)"], check=True)
    slept = seconds() - before
    assert slept < 0.7, f"{slept} s of processor for a second of sleep"
    work = "import time\nwhile time.process_time() < 0.8: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    worked = seconds() - before - slept
    assert worked >= 0.75, f"{worked} s for 0.8 s of work"
