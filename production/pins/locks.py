"""Newer versions of what the locks pin, as uv finds them in the package index that it is configured for.

The locks are compiled anew, by requirements/lock.sh, in a copy. Versions stay within the bounds of
pyproject.toml and requirements/*.in; what these name by one version alone is looked up, and left to a person.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hal.network.sbom import DocumentError, read_lock
from production.pins.finding import Finding, State, UnknownError

COMPILE_SECONDS = 1800
INDEX = "the package index"

type Package = dict[Version, set[str]]


class Locks:
    """The locks of a project, and a copy of them that is compiled anew.

    Args:
        project: a checkout.
        directory: an empty one, for the copy.
        seconds: how long compiling may take.

    Attributes:
        whole: every lock was compiled anew, and nothing in them wants a person's judgement.
    """

    def __init__(self, project: Path, directory: Path, seconds: float = COMPILE_SECONDS) -> None:
        self._project = project
        self._copy = directory
        self._seconds = seconds
        self.whole = False
        shutil.copytree(project / "requirements", directory / "requirements")
        shutil.copy(project / "pyproject.toml", directory)

    def look_up(self) -> Iterator[Finding]:
        """Yield what is known of each package of which something is newer, or unknown.

        A finding that nothing is newer is about all the locks.
        """
        try:
            self._run("requirements/lock.sh", "--upgrade")
            changed = list(self._compare())
            self.whole = all(finding.state != State.UNKNOWN for finding in changed)
            yield from changed or [Finding("the locks", State.CURRENT, "within their bounds")]
        except (UnknownError, DocumentError) as error:
            yield Finding("the locks", State.UNKNOWN, f"{INDEX.capitalize()} could not be asked: {error}")
        yield from self._exact()

    def write(self) -> list[str]:
        """Write the new locks, if they are whole; return the names of those that are other ones."""
        written: list[str] = []
        for lock in sorted((self._copy / "requirements").glob("*.txt")) if self.whole else ():
            target = self._project / "requirements" / lock.name
            if not target.exists() or target.read_bytes() != lock.read_bytes():
                shutil.copyfile(lock, target)
                written.append(lock.name)
        return written

    def _run(self, *command: str, given: str | None = None) -> str:
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        try:
            done = subprocess.run(
                command, cwd=self._copy, env=environment, capture_output=True, text=True, check=False,
                input=given, timeout=self._seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise UnknownError(f"no answer within {self._seconds:g} s.") from None
        except OSError as error:
            raise UnknownError(str(error)) from None
        if done.returncode:
            raise UnknownError(_reason(done.stderr) or f"uv ended with {done.returncode}.")
        return done.stdout

    def _compare(self) -> Iterator[Finding]:
        before = _packages(self._project / "requirements")
        after = _packages(self._copy / "requirements")
        told: dict[tuple[str, State, str], list[str]] = defaultdict(list)
        for lock, packages in after.items():
            former = before.get(lock, {})
            for name in sorted(packages.keys() | former.keys()):
                state, sentence = _difference(former.get(name, {}), packages.get(name, {}))
                if sentence:
                    told[name, state, sentence].append(lock)
        for (name, state, sentence), locks in sorted(told.items()):
            yield Finding(name, state, f"{sentence} ({', '.join(locks)})")

    def _exact(self) -> Iterator[Finding]:
        """Yield what is newer than versions that the .in files name."""
        for file in sorted((self._project / "requirements").glob("*.in")):
            for requirement in _requirements(file.read_text(encoding="utf-8").splitlines()):
                exact = [one.version for one in requirement.specifier if one.operator == "=="]
                if not exact:
                    continue
                command = [
                    "uv",
                    "pip",
                    "compile",
                    "--quiet",
                    "--universal",
                    "--python-version",
                    "3.12",
                    "--no-deps",
                ]
                command += ["--no-header", "--no-annotate", "--no-emit-index-url", "-"]
                try:
                    found = read_lock(self._run(*command, given=f"{requirement.name}\n"))
                    newest = max(Version(pin.version) for pin in found)
                except (UnknownError, DocumentError, ValueError) as error:
                    told = f"{INDEX.capitalize()} has no answer about it: {error}"
                    yield Finding(requirement.name, State.UNKNOWN, told)
                    continue
                if newest > Version(exact[0]):
                    told = f"{exact[0]}, and there is {newest}. "
                    told += f"A person changes requirements/{file.name}, then `make lock`"
                    yield Finding(requirement.name, State.NEWER, told, by_hand=True)
                elif newest < Version(exact[0]):
                    told = f"{exact[0]} is pinned in requirements/{file.name}, "
                    told += f"and the newest that {INDEX} has is {newest}."
                    yield Finding(requirement.name, State.UNKNOWN, told)


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue


def _packages(directory: Path) -> dict[str, dict[str, Package]]:
    """Return, by lock and package, the hashes of each version."""
    found: dict[str, dict[str, Package]] = {}
    for lock in sorted(directory.glob("*.txt")):
        packages = found.setdefault(lock.stem, {})
        for pin in read_lock(lock.read_text(encoding="utf-8")):
            versions = packages.setdefault(canonicalize_name(pin.name), {})
            versions.setdefault(Version(pin.version), set()).update(pin.hashes)
    return found


def _difference(before: Package, after: Package) -> tuple[State, str]:
    """Return what a compiled lock has other of a package: state and sentence, empty if it is nothing."""
    old, new = (", ".join(map(str, sorted(package))) for package in (before, after))
    lost = sum(len(before[version] - after[version]) for version in before.keys() & after.keys())
    added = sum(len(after[version] - before[version]) for version in before.keys() & after.keys())
    state, told = State.NEWER, f"{old} has {added} more files" if added else ""
    if not after:
        told = f"{old} is no longer needed"
    elif not all(after.values()):
        state, told = State.UNKNOWN, f"{new} has no hash in the lock"
    elif not before:
        told = f"{new} is needed besides"
    elif max(after) < max(before):
        state = State.UNKNOWN
        told = f"{old} would become {new}: a newer one was withdrawn, or another package forbids it"
    elif lost:
        state, told = State.UNKNOWN, f"of {old} {lost} files that are pinned are gone from {INDEX}"
    elif before.keys() != after.keys():
        told = f"{old} becomes {new}"
    return state, told


def _reason(error: str) -> str:
    """Return the last line of what uv says, without addresses, which may have a password in them."""
    lines = [re.sub(r"^\W+", "", line).strip() for line in error.splitlines() if line.strip()]
    return re.sub(r"\w+://\S+", "an address", lines[-1]) if lines else ""
