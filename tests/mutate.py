"""Change the code in small ways, one at a time, and see whether a test notices each change.

Usage: mutate.py [--all] [--base BRANCH] [--mutants N] [--seconds N] [--seed N] PATH ... [--tests PATH ...]

Only lines that differ from BRANCH are changed, unless --all says otherwise. The seed decides which mutants
are drawn, one for each place that can be changed, and in which order they are tried, until N were or the
seconds are over. Cosmic Ray makes them, in a copy of the tree for each processor. Each is tried with the
tests that run its line, as coverage has recorded it.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome
from coverage import CoverageData

PROJECT = Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
# Seconds of tests for one mutant, the quickest first: lines that run at every import would take all of them.
LONGEST = 60
# How often longer than without the mutant a test may take until it counts as hanging, which is noticed.
PATIENCE = 5


@dataclass
class Tests:
    """Which tests run which line of which file, and how long each takes."""

    by_line: dict[Path, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def of(self, mutant: MutationSpec) -> dict[str, float]:
        """Return the tests that run the lines of a mutant, else its file, with their seconds."""
        lines = self.by_line.get(mutant.module_path, {})
        found = set().union(*(lines.get(line, set()) for line in changed_by(mutant)))
        found = found or set().union(*lines.values())
        chosen: dict[str, float] = {}
        for test in sorted(found & self.seconds.keys(), key=lambda test: (self.seconds[test], test)):
            if not chosen or sum(chosen.values()) + self.seconds[test] < LONGEST:
                chosen[test] = self.seconds[test]
        return chosen


def changed_by(mutant: MutationSpec) -> range:
    """Return the numbers of the lines that a mutant changes."""
    return range(mutant.start_pos[0], mutant.end_pos[0] + 1)


def git(*arguments: str) -> str:
    """Return what git says about the project."""
    return subprocess.run(["git", *arguments], cwd=PROJECT, check=True, capture_output=True, text=True).stdout


def project_files(*paths: str) -> list[Path]:
    """Return the project's files below some paths, those that are not committed yet among them."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths).split("\0")
    return [Path(name) for name in listed if name and (PROJECT / name).is_file()]


def changed_lines(base: str) -> dict[Path, set[int]]:
    """Return the lines that differ from where this branch left `base`, by file."""
    lines: dict[Path, set[int]] = {}
    for line in git("diff", "-U0", "--no-prefix", "--merge-base", base).splitlines():
        if line.startswith("+++ "):
            file = Path(line.removeprefix("+++ "))
        elif found := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first = int(found[1])
            lines.setdefault(file, set()).update(range(first, first + int(found[2] or 1)))
    for name in git("ls-files", "--others", "--exclude-standard", "--", "*.py").splitlines():
        lines[Path(name)] = set(range((PROJECT / name).read_text().count("\n") + 1))
    return lines


def annotated(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where types begin and end: a change of one changes nothing that runs."""
    nodes = list(ast.walk(ast.parse(source)))
    found = [getattr(node, part, None) for node in nodes for part in ("annotation", "returns")]
    found += [node.value for node in nodes if isinstance(node, ast.TypeAlias)]
    return [
        ((place.lineno, place.col_offset), (place.end_lineno or 0, place.end_col_offset or 0))
        for place in found
        if isinstance(place, ast.expr)
    ]


def mutants(files: list[Path], seed: int) -> list[MutationSpec]:
    """Return the mutants of some files in the order of a seed, one for each place that can be changed."""
    types = {file: annotated((PROJECT / file).read_text()) for file in files}
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/session", WorkDB.Mode.create) as session:
        init(files, session, {})
        every = [item.mutations[0] for item in session.work_items]
    every.sort(key=lambda mutant: (mutant.module_path, mutant.operator_name, mutant.occurrence))
    random.Random(seed).shuffle(every)
    places = {}
    for mutant in every:
        start, end = tuple(mutant.start_pos), tuple(mutant.end_pos)
        if not any(begin <= start and end <= stop for begin, stop in types[mutant.module_path]):
            places.setdefault((mutant.module_path, start, end), mutant)
    return list(places.values())


def imported_as(file: Path) -> str:
    """Return the name that whoever uses a file must write: its package, or its own."""
    parts = file.with_suffix("").parts
    if file.parts[0] == "src":
        return ".".join(parts[1:-1] if len(parts) > 3 else parts[1:])
    return parts[1] if file.parts[0] == "module_utils" else file.stem


def candidates(files: list[Path], tests: list[str]) -> Iterator[str]:
    """Yield the test files that name a module or what imports it, and those whose fixtures do."""
    programs = {file: file.read_text() for file in project_files() if file.suffix == ".py"}
    names = {imported_as(file) for file in files}
    importing = re.compile(rf"^\s*(from|import)\b.*\b({'|'.join(map(re.escape, names))})\b", re.MULTILINE)
    names |= {
        imported_as(file)
        for file, text in programs.items()
        if file.parts[0] != "tests" and file.name != "__init__.py" and importing.search(text)
    }
    naming = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    for file in project_files(*tests):
        if file.name.startswith("test_") and any(
            naming.search(programs.get(each, "")) for each in (file, file.with_name("conftest.py"))
        ):
            yield str(file)


def record(copy: Path, files: list[Path], tests: list[str]) -> Tests:
    """Run the tests in a copy of the tree and return which lines each of them runs."""
    (copy / "coverage.cfg").write_text("[run]\nrelative_files = true\n")
    chosen = list(candidates(files, tests))
    if not chosen:
        return Tests()
    print(f"Recording which lines are run by the tests of {len(chosen)} files", flush=True)
    command = ["pytest", "-q", "-n", str(CORES), "--dist", "worksteal", "--junitxml=tests.xml", *chosen]
    command += ["--cov-config=coverage.cfg", "--cov-context=test", "--cov-report="]
    command += sorted({f"--cov={file.parent}" for file in files})
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run(command, cwd=copy, env=environment, check=False, capture_output=True, text=True)
    if not (copy / "tests.xml").exists():
        sys.exit(f"The tests could not be run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    found = Tests()
    for case in ElementTree.parse(copy / "tests.xml").getroot().iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if {"failure", "error"} & {part.tag for part in case}:
            print(f"  fails without a mutant, and is left out: {name}")
        elif case.find("skipped") is None:
            found.seconds[name] = float(case.get("time", 0))
    data = CoverageData(str(copy / ".coverage"))
    data.read()
    for file in files:
        lines = found.by_line[file] = {}
        for line, contexts in data.contexts_by_lineno(str(file)).items():
            for test, _, phase in (context.rpartition("|") for context in contexts if context):
                # What a shared fixture runs is recorded for the first test that uses it, of several.
                module = test.partition("::")[0] + "::"
                users = [name for name in found.seconds if name.startswith(module)]
                lines.setdefault(line, set()).update(users if phase == "setup" else [test])
    return found


def copies(folder: Path) -> list[Path]:
    """Copy what belongs to the project, once for each processor."""
    made = [folder / str(number) for number in range(CORES)]
    for file in project_files():
        for copy in made:
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / file, copy / file, follow_symlinks=False)
    return made


def enter(trees: Any) -> None:
    """Have this process work in a tree of its own, and import the project from there."""
    os.chdir(trees.get())
    os.environ["PYTHONPATH"] = str(Path("src").resolve())


def attempt(mutant: MutationSpec, tests: dict[str, float], end: float) -> tuple[bool, str] | None:
    """Try a mutant unless it is too late; return whether it was killed, and what it changed."""
    if time.monotonic() > end:
        return None
    Path("tests.txt").write_text("\n".join(tests))
    longest = 10 + PATIENCE * max(tests.values(), default=0)
    command = ["pytest", "-q", "-x", "-p", "no:cacheprovider", f"--timeout={longest:.0f}", "@tests.txt"]
    whole = 60 + PATIENCE * sum(tests.values())
    result = mutate_and_test([mutant], shlex.join(command if tests else ["true"]), whole)
    change = re.findall(r"^[-+](?!--|\+\+).*", result.diff or "", re.MULTILINE)
    return result.test_outcome != TestOutcome.SURVIVED, "\n".join(f"    {line}" for line in change)


def main() -> int:
    """Draw mutants, try them, list the survivors, and print how many were killed."""
    parser = argparse.ArgumentParser(description="See which small changes of the code no test notices.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a folder or a file, such as library")
    parser.add_argument("--all", action="store_true", help="change every line, not only those of this branch")
    parser.add_argument("--base", default="main", help="the branch that this one is compared with")
    parser.add_argument("--mutants", type=int, help="try so many at most")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="begin none after so many seconds"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides which are drawn")
    parser.add_argument("--tests", nargs="+", default=["tests/unit"], help="where the tests stand")
    wanted = parser.parse_args()
    where, begin = " ".join(wanted.paths), time.monotonic()
    os.chdir(PROJECT)
    files = [file for file in project_files(*wanted.paths) if file.suffix == ".py"]
    every = mutants(files, wanted.seed)
    if not wanted.all:
        lines = changed_lines(wanted.base)
        every = [each for each in every if lines.get(each.module_path, set()) & set(changed_by(each))]
    if not every:
        print(
            f"Nothing below {where} can be changed, or has been since {wanted.base}; --all takes every line."
        )
        return 0
    sample = every[: wanted.mutants]
    with tempfile.TemporaryDirectory(prefix="hal-mutation-") as folder:
        trees: Any = multiprocessing.Queue()
        made = copies(Path(folder))
        for tree in made:
            trees.put(tree)
        tests = record(made[0], sorted({mutant.module_path for mutant in sample}), wanted.tests)
        chosen = [tests.of(mutant) for mutant in sample]
        results = []
        with ProcessPoolExecutor(CORES, initializer=enter, initargs=(trees,)) as pool:
            for result in pool.map(attempt, sample, chosen, [begin + wanted.seconds] * len(sample)):
                results.append(result)
                print("S" if result and not result[0] else "." if result else "", end="", flush=True)
    print()
    for mutant, used, result in zip(sample, chosen, results, strict=True):
        if result and not result[0]:
            untested = "" if used else ", which no test runs"
            print(f"{mutant.module_path}:{mutant.start_pos[0]}: survived{untested}\n{result[1]}")
    tried = [was_killed for was_killed, _ in filter(None, results)]
    print(
        f"{len(tried)} of {len(every)} mutants of {where}, seed {wanted.seed}: {sum(tried)} killed, "
        f"{len(tried) - sum(tried)} survived, {100 * sum(tried) / (len(tried) or 1):.0f} % killed "
        f"in {time.monotonic() - begin:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
