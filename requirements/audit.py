"""Ask which vulnerabilities are known of what the locks pin. `make audit` runs it.

Usage: audit.py
Exit code: 0 none is known; 1 some are; 3 something is unknown: no source could be asked, or it had no answer.

pip-audit asks PyPI's advisories, or those of OSV where PyPI does not answer. What a source answered is kept
in .cache/audit for a day. Markers are left out: what is installed on Windows alone is asked for, too.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from hal.network.sbom import read_lock

PROJECT = Path(__file__).resolve().parents[1]
PROGRAM = PROJECT / ".venv/bin/pip-audit"
CACHE = PROJECT / ".cache/audit"
SOURCES = ("pypi", "osv")
# A vulnerability of it is known since 2018 (CVE-2018-18074). A mirror of an index may have no advisories, and
# pip-audit then says that it found no vulnerabilities: a source that does not know this one is not believed.
KNOWN_VULNERABLE = ("requests", "2.19.1")
KEPT_SECONDS = 24 * 3600
REQUEST_SECONDS, TOTAL_SECONDS = 15, 1200
VULNERABLE, UNKNOWN = 1, 3

type Package = tuple[str, str]


class SourceFailed(Exception):
    """A source did not answer; the text says why."""


@dataclass(frozen=True)
class Answer:
    """What a source knows.

    Attributes:
        source: its name, as pip-audit has it.
        vulnerabilities: of each package that has some, a sentence for each.
        unknown: the packages that it has no answer about.
    """

    source: str
    vulnerabilities: Mapping[Package, list[str]]
    unknown: frozenset[Package]


def read_packages(locks: Iterable[Path]) -> dict[Package, list[str]]:
    """Return the packages of the locks, name and version, each with the names of the locks that pin it."""
    found: dict[Package, list[str]] = {}
    for lock in locks:
        for pin in read_lock(lock.read_text(encoding="utf-8")):
            names = found.setdefault((canonicalize_name(pin.name), pin.version), [])
            if lock.stem not in names:
                names.append(lock.stem)
    return found


def one_version_each(packages: Iterable[Package]) -> list[list[Package]]:
    """Return the packages in lists that have one version of each: pip-audit takes no more at once."""
    lists: list[dict[str, Package]] = []
    for package in packages:
        fitting = next((one for one in lists if package[0] not in one), None)
        if fitting is None:
            lists.append(fitting := {})
        fitting[package[0]] = package
    return [list(one.values()) for one in lists]


def ask(program: Path, source: str, packages: list[Package], cache: Path) -> Answer:
    """Have pip-audit ask a source about packages, at most one version of each.

    Raises:
        SourceFailed: it cannot be reached, or its answer cannot be read.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=cache) as written:
        written.writelines(f"{name}=={version}\n" for name, version in packages)
        written.flush()
        command = [str(program), "--requirement", written.name, "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", source, "--format", "json", "--progress-spinner", "off"]
        command += ["--timeout", str(REQUEST_SECONDS), "--cache-dir", str(cache / "http")]
        try:
            done = subprocess.run(  # noqa: S603 - pip-audit, with names and versions in a file
                command, capture_output=True, text=True, check=False, timeout=TOTAL_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceFailed(str(error)) from None
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        raise SourceFailed(_reason(done.stderr) or f"pip-audit ended with {done.returncode}") from None
    versions = dict(packages)
    answered = {canonicalize_name(one["name"]): one for one in told if "vulns" in one}
    return Answer(
        source,
        {
            (name, versions[name]): [_sentence(vulnerability) for vulnerability in one["vulns"]]
            for name, one in answered.items()
            if one["vulns"]
        },
        frozenset(package for package in packages if package[0] not in answered),
    )


def _reason(error: str) -> str:
    """Return why pip-audit failed: the end of its last line, or of a traceback's, that is no advice."""
    said = [line.strip() for line in error.splitlines() if line.strip() and "Tip:" not in line]
    return (
        said[-1].rpartition(": ")[2].removeprefix("ERROR:pip_audit._cli:").removesuffix('"))') if said else ""
    )


def _sentence(vulnerability: Mapping[str, Any]) -> str:
    names = ", ".join([vulnerability["id"], *vulnerability.get("aliases", [])])
    mended = ", ".join(vulnerability.get("fix_versions", []))
    return f"{names}; {f'mended in {mended}' if mended else 'no version is known that mends it'}"


def ask_all(program: Path, packages: Iterable[Package], cache: Path) -> Answer:
    """Return what the first source knows that has advisories.

    Raises:
        SourceFailed: there is none; the text says of each why.
    """
    reasons = []
    for source in SOURCES:
        try:
            if not ask(program, source, [KNOWN_VULNERABLE], cache).vulnerabilities:
                reasons.append(f"{source} does not know the vulnerability of {' '.join(KNOWN_VULNERABLE)}")
                continue
            answers = [ask(program, source, part, cache) for part in one_version_each(packages)]
        except SourceFailed as error:
            reasons.append(f"{source}: {error}")
            continue
        vulnerabilities = {key: value for one in answers for key, value in one.vulnerabilities.items()}
        return Answer(source, vulnerabilities, frozenset().union(*(one.unknown for one in answers)))
    raise SourceFailed("; ".join(reasons))


def recall(cache: Path, key: str, now: float) -> Answer | None:
    """Return the whole answer about the same packages that is not a day old, if there is one."""
    try:
        kept = json.loads((cache / "answer.json").read_text(encoding="utf-8"))
        if kept["key"] != key or not 0 <= now - kept["asked"] < KEPT_SECONDS:
            return None
        vulnerabilities = {(name, version): told for name, version, told in kept["vulnerabilities"]}
        return Answer(kept["source"], vulnerabilities, frozenset())
    except (OSError, ValueError, LookupError, TypeError):
        return None


def remember(cache: Path, key: str, answer: Answer, now: float) -> None:
    """Keep an answer about all packages for `recall`."""
    kept = {
        "key": key,
        "asked": now,
        "source": answer.source,
        "vulnerabilities": [[*package, told] for package, told in answer.vulnerabilities.items()],
    }
    (cache / "answer.json").write_text(json.dumps(kept), encoding="utf-8")


def report(answer: Answer, packages: Mapping[Package, list[str]]) -> int:
    """Print what is known, and return the exit code."""
    for package, sentences in sorted(answer.vulnerabilities.items()):
        for sentence in sentences:
            print(f"{' '.join(package)} ({', '.join(packages[package])}): {sentence}")
    if answer.unknown:
        names = ", ".join(" ".join(package) for package in sorted(answer.unknown))
        print(f"{answer.source} has no answer about: {names}")
    print(
        f"{len(packages)} packages of the locks, asked of {answer.source}: vulnerabilities are known of "
        f"{len(answer.vulnerabilities)}, nothing is known about {len(answer.unknown)}."
    )
    return VULNERABLE if answer.vulnerabilities else UNKNOWN if answer.unknown else 0


def main(locks: list[Path], program: Path = PROGRAM, cache: Path = CACHE) -> int:
    """Ask about the packages of locks; return the exit code."""
    packages = read_packages(locks)
    now = time.time()
    key = hashlib.sha256(json.dumps(sorted(packages)).encode()).hexdigest()
    answer = recall(cache, key, now)
    if answer is None:
        try:
            answer = ask_all(program, packages, cache)
        except SourceFailed as error:
            print(
                f"The sources of vulnerabilities could not be asked: {error}; nothing is known about "
                f"vulnerabilities of the {len(packages)} packages.",
                file=sys.stderr,
            )
            return UNKNOWN
        if not answer.unknown:
            remember(cache, key, answer, now)
    return report(answer, packages)


if __name__ == "__main__":
    sys.exit(main(sorted((PROJECT / "requirements").glob("*.txt"))))
