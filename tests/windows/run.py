"""Check the Windows plays without Windows: arguments, whole plays on a simulated host, and scripts.

Usage: run.py [--update]    --update rewrites the recordings in golden/.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

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


def check_plays(plays: list[Play], suite: Suite, *, update: bool) -> Iterator[str]:
    """Yield what is wrong with plays: what failed, changed again, differs from its recording or leaked."""
    for play in plays:
        print(f"play {play.name}: {len(play.run.calls)} calls")
        yield from (f"{play.name}: {fault}" for fault in [*play.faults, *suite.leaks(play)])
        kept = GOLDEN / f"{play.name}.json"
        calls = recording.normalise(play.run.calls, suite.names())
        if play.faults:
            continue
        if update:
            kept.write_text(recording.text(calls))
        elif difference := recording.difference(kept, calls):
            yield f"{play.name}: what the host is asked has changed (right? then --update):\n{difference}"


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
    faults = list(check_arguments())
    with tempfile.TemporaryDirectory(prefix="windows-") as scratch:
        suite = Suite(Path(scratch))
        plays = suite.run()
        faults += check_plays(plays, suite, update=update)
    faults += check_scripts(plays)
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"windows: {len(plays)} plays, {len(faults)} faults in {time.monotonic() - begin:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
