"""Whoever tells a linter, the type checker or Ansible to overlook something says exactly what, and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for place in sorted(ROOT.iterdir())
    if place.is_dir() and not place.name.startswith(".") and place.name != "tests"
    for path in sorted(place.rglob("*"))
    if path.is_file() and (path.suffix in (".py", ".yml") or path.parent.name == "bin")
]
# One that overlooks something, and what follows it on the line.
SKIP = re.compile(
    r"(?:#\s*(?P<rules>noqa|type: ignore|mypy:|ruff:)|failed_when: false|ignore_\w+: true)(?P<rest>.*)"
)
# What follows: rules with their reason; of a task the reason alone.
RULES = re.compile(r"(?:: |\[)[\w, -]+?\]?\s+(?:# |- |\().{8,}")
REASON = re.compile(r".*?# .{8,}")


def unreasoned(line: str) -> bool:
    """Return whether a line overlooks something without saying exactly what and why."""
    found = SKIP.search(line)
    return found is not None and not (RULES if found["rules"] else REASON).match(found["rest"])


def test_what_is_overlooked_is_named_with_its_reason() -> None:
    assert FILES
    silent = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in FILES
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if unreasoned(line)
    ]
    assert silent == []


@pytest.mark.parametrize(
    "line",
    [
        "import yaml  # noqa",
        "import yaml  # noqa: PLC0415",
        "import yaml  # noqa - it is needed late",
        "import yaml  # type: ignore",
        "import yaml  # type: ignore[import-untyped]",
        "  failed_when: false",
        "  ignore_errors: true",
    ],
)
def test_one_without_rule_or_reason_is_found(line: str) -> None:
    assert unreasoned(line)
