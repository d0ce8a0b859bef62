"""Check the Windows plays without Windows: arguments, whole plays on a simulated host, and scripts.

Usage: run.py [--update]    --update rewrites the recordings in golden/. What breaks a rule stays a fault.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rules
from inspection import arguments, scripts
from plays import Play, Suite
from simulator import recording
from simulator.bench import PROJECT

GOLDEN = Path(__file__).parent / "golden"
# What a task for Windows looks like; files without one are left to ansible-lint.
WINDOWS = re.compile(r"^\s*(?:- )?(?:ansible|community|microsoft)\.\w+\.win_", re.MULTILINE)


def check_arguments() -> Iterator[str]:
    """Yield what is wrong with the arguments of the tasks."""
    paths = [
        path
        for pattern in ("roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml", "playbooks/**/*.yml")
        for path in sorted(PROJECT.glob(pattern))
        if WINDOWS.search(path.read_text())
    ]
    print(f"arguments: {len(paths)} files with tasks for Windows")
    yield from (fault.replace(f"{PROJECT}/", "") for fault in arguments.check(paths))


def check_plays(plays: list[Play], names: dict[str, str], *, update: bool) -> Iterator[str]:
    """Yield what is wrong with plays: what failed, what breaks a rule, what differs from its recording."""
    differences = defaultdict(list)
    for play in plays:
        print(f"play {play.name}: {len(play.run.calls)} calls")
        yield from (f"{play.name}: {fault}" for fault in play.faults)
        if play.faults:
            continue
        path = GOLDEN / f"{play.name}.txt"
        recorded = recording.text(play.run.calls, names)
        if update:
            path.write_text(recorded)
        elif differs := recording.difference(path.read_text() if path.exists() else "", recorded):
            differences[differs].append(play.name)
    for differs, same in differences.items():
        yield f"{', '.join(same)}: the host is asked something else:\n{differs}"
    if differences:
        yield "If that is meant, run tests/windows/run.py --update, and read `git diff tests/windows/golden`."
    print(f"rules: {len(rules.RULES)}")
    yield from rules.check(plays)


def check_scripts(plays: list[Play]) -> Iterator[str]:
    """Yield what Windows PowerShell could not run of the scripts that the plays sent or put there."""
    found = {script: name for play in plays for name, script in play.scripts()}
    print(f"scripts: {len(found)}")
    for script, name in found.items():
        yield from (f"{name}: {fault} in\n{script}" for fault in scripts.check(script))


def main() -> int:
    """Run every check, print the faults, and return 0 if there are none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--update", action="store_true", help="rewrite the recordings")
    update = parser.parse_args().update
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="windows-") as scratch, ThreadPoolExecutor(1) as pool:
        arguments_checked = pool.submit(lambda: list(check_arguments()))
        suite = Suite(Path(scratch))
        plays = suite.run()
        faults = [*arguments_checked.result(), *check_plays(plays, suite.names(), update=update)]
    faults += check_scripts(plays)
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"windows: {len(plays)} plays, {len(faults)} faults in {time.monotonic() - begin:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
