"""What runs a program or sends a request works in a check, or says why it does not.

Ansible skips such a task in check mode, without a word. So it must be one of these:

- it only reads, and runs in a check, too: `check_mode: false` with `changed_when: false`, or a GET;
- it runs in a check, and the program is told that it is one: `ansible_check_mode` in its arguments;
- `creates` or `removes` tell Ansible what it would do;
- its PowerShell script itself knows check mode;
- a condition, its own or that of a block around it, leaves it out: `not ansible_check_mode`;
- a comment beside it, above it or at the head of its file says what becomes of it in "a check".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROGRAMS = {"command", "shell", "raw", "script", "expect", "win_command", "win_shell", "win_powershell"}
REQUESTS = {"uri", "win_uri"}
BLOCKS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
EXPLANATION = re.compile(r"#.*\ba (?:first )?check\b", re.IGNORECASE)
FILES = sorted(
    path
    for directory in ("roles", "playbooks")
    for path in (ROOT / directory).rglob("*.yml")
    if not {"meta", "defaults", "vars", "files", "group_vars", "templates"} & {*path.parts}
)


class Loader(yaml.SafeLoader):
    """Keeps of each mapping the lines, counted from 0, between which it stands."""


def _mapping(loader: Loader, node: yaml.MappingNode) -> dict[str, Any]:
    return loader.construct_mapping(node, deep=True) | {"_lines": (node.start_mark.line, node.end_mark.line)}


Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def tasks(entries: Any, conditions: str = "") -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield module, task and all conditions of every task that runs a program or sends a request."""
    for entry in entries if isinstance(entries, list) else []:
        all_conditions = f"{conditions} {entry.get('when', '')}"
        for block in BLOCKS:
            yield from tasks(entry.get(block), all_conditions)
        for key in entry:
            if (module := key.rpartition(".")[2]) in PROGRAMS | REQUESTS:
                yield module, entry | {"arguments": entry[key]}, all_conditions


def explained(lines: list[str], task: dict[str, Any]) -> bool:
    """Return whether a comment at the task or at the head of the file speaks of a check."""
    begin, end = task["_lines"]
    while begin and lines[begin - 1].lstrip().startswith("#"):
        begin -= 1
    body = lines[begin:end]
    while len(body) > 1 and body[-1].lstrip()[:1] in ("", "#"):  # the next task's
        body.pop()
    head = next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
    return any(EXPLANATION.search(line) for line in [*lines[:head], *body])


def knows_check_mode(file: Path, arguments: dict[str, Any]) -> bool:
    """Return whether the task's PowerShell script says that it does."""
    script = arguments.get("script", "")
    if "path" in arguments:
        places = (parent / "files" / arguments["path"] for parent in file.parents)
        script = next(place for place in places if place.is_file()).read_text()
    return "SupportsShouldProcess" in script


def works_or_says_why(
    file: Path, module: str, task: dict[str, Any], conditions: str, lines: list[str]
) -> bool:
    """Return whether a task is one of those that the head of this file names."""
    arguments = task["arguments"] if isinstance(task["arguments"], dict) else {}
    if task.get("check_mode") is False:
        told = "ansible_check_mode" in str(arguments)  # the program itself, which then changes nothing
        return (
            told
            or task.get("changed_when") is False
            or (module in REQUESTS and arguments.get("method", "GET") == "GET")
        )
    return (
        any(name in arguments | task.get("args", {}) for name in ("creates", "removes"))
        or (module == "win_powershell" and knows_check_mode(file, arguments))
        or re.search(r"\bnot ansible_check_mode\b", conditions) is not None
        or explained(lines, task)
    )


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_runs_programs_works_in_a_check_or_says_why_not(file: Path) -> None:
    text = file.read_text()
    silent = [
        f"{file.relative_to(ROOT)}:{task['_lines'][0] + 1}: {task['name']}"
        for module, task, conditions in tasks(yaml.load(text, Loader))
        if not works_or_says_why(file, module, task, conditions, text.splitlines())
    ]
    assert silent == []
