"""Recordings of what a host was asked: one call a line, below the name of its task; compared call by call."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# What differs from one run or release to the next, and what stands for it.
MASKS = [
    (re.compile(r"[A-Za-z0-9+/]{400,}={0,2}"), "<base64>"),
    (re.compile(r"ansible-tmp-[\d.]+-\d+-\d+"), "<temporary>"),
    (re.compile(r"[^\s\"']*/ansible-local-[\w-]+/tmp\w+"), "<temporary>"),
    (re.compile(r"\btmp[a-z0-9_]{8}\b"), "<temporary>"),
    (re.compile(r"\bj\d{3,12}\b"), "<job>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<sha1>"),
    (re.compile(r"\b[0-9a-f]{12,32}\b"), "<digest>"),
    (re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?!\d|\.\d)"), "<version>"),
]
HEADER = "# What the host was asked for each task. Written by run.py --update.\n"
LONGEST_LIST = 300  # characters; the mappings of a longer list have lines of their own
MOST_LINES_SHOWN = 40
NAMING = {"name", "path", "dest", "Path", "user", "host"}  # arguments that say which of many a call is about
ITEM, TEXT = "    - ", "    | "  # what an item of a list and a line of a text begin with, below their call


class Line(NamedTuple):
    """A line of a recording, and the task that it belongs to."""

    task: str
    text: str


class _Dumper(yaml.CSafeDumper):
    """Keeps a text that ends in a line break on its line."""


_Dumper.add_representer(
    str,
    lambda dumper, value: dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style='"' if "\n" in value else None
    ),
)


def text(calls: list[dict[str, Any]], names: dict[str, str]) -> str:
    """Return a recording as it is kept, which is that of any other run of the same playbook.

    A call is its module, what is true of it, and its arguments as YAML. A text of several lines follows it.

    Args:
        calls: The recording as it was made.
        names: What is replaced, and what by: paths of this machine, secrets of this run, texts of files.
    """
    return HEADER + "".join(
        f"{task}\n{''.join(f'{line}\n' for call in asked for line in _lines(call, names))}"
        for task, asked in groupby(calls, lambda call: call["task"] or "(no task)")
    )


def _lines(call: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    below: list[str] = []
    true = " ".join(key for key, value in call.items() if value is True)
    more = {key: call[key] for key in ("text", "sha256", "environment", "through") if key in call}
    arguments = _yaml(_masked({**call["arguments"], **more}, names, below))
    yield f"  {call['call']} {f'[{true}] ' if true else ''}{arguments}"
    yield from below


def _yaml(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=1_000_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _masked(value: Any, names: dict[str, str], below: list[str]) -> Any:
    """Return a value with what may differ replaced, and add to `below` what is too long for a line."""
    if isinstance(value, dict):
        if value.get("_copy_mode") == "query" and (directory := _whole_directory(value["files"])):
            value = {**value, "files": f"every file of {directory}"}
        return {key: _masked(item, names, below) for key, item in value.items()}
    if isinstance(value, list):
        items = [_masked(item, names, below) for item in value]
        if not all(isinstance(item, dict) for item in items) or len(_yaml(items)) <= LONGEST_LIST:
            return items
        below += (f"{ITEM}{_yaml(item)}" for item in items)
        return f"<{len(items)} items below>"
    if not isinstance(value, str):
        return value
    if value.startswith("{"):
        with contextlib.suppress(ValueError):
            return _masked(json.loads(value), names, below)
    for found, name in names.items():
        value = value.replace(found, f"<{name}>")
    for pattern, name in MASKS:
        value = pattern.sub(name, value)
    if "\n" not in value.rstrip("\n"):
        return value
    lines = value.splitlines()
    below += (f"{TEXT}{line}" for line in lines)
    return f"<{len(lines)} lines below>"


def _whole_directory(files: list[dict[str, str]]) -> Path | None:
    """Return the directory of which these files are all there are, if they are more than one."""
    if len(files) < 2 or not (directory := Path(files[0]["src"]).parent).is_dir():
        return None
    there = {path.name: hashlib.sha1(path.read_bytes()).hexdigest() for path in directory.iterdir()}
    return directory if there == {file["dest"]: file["checksum"] for file in files} else None


def difference(kept: str, now: str) -> str:
    """Return the calls in which two recordings differ, below the names of their tasks, or nothing.

    Of a call that has changed, only the arguments that differ are shown.
    """
    before, after = _read(kept), _read(now)
    shown: list[str] = []
    task = ""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, begin, end, new_begin, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        removed, added = before[begin:end], after[new_begin:new_end]
        signed = [*(("-", line) for line in removed), *(("+", line) for line in added)]
        if [line.task for line in removed] == [line.task for line in added]:
            signed = [
                pair
                for old, new in zip(removed, added, strict=True)
                for pair in zip("-+", _shortened(old, new), strict=True)
            ]
        for sign, line in signed:
            if line.task != task:
                shown.append(task := line.task)
            shown.append(sign + line.text)
    if (left := len(shown) - MOST_LINES_SHOWN) > 0:
        shown[MOST_LINES_SHOWN:] = [f"and {left} more lines"]
    return "\n".join(shown)


def _read(recording: str) -> list[Line]:
    task, lines = "", []
    for line in recording.splitlines():
        if line.startswith(" "):
            lines.append(Line(task, line))
        else:
            task = line
    return lines


def _shortened(old: Line, new: Line) -> Iterator[Line]:
    """Yield both versions of a line; of what stands in braces, only what names it and what differs."""
    parts = [line.text.partition("{") for line in (old, new)]
    if any(before.startswith(TEXT) for before, _, _ in parts):
        yield from (old, new)
        return
    ours, theirs = (yaml.safe_load("{" + arguments) for _, _, arguments in parts)
    same = {key for key in ours.keys() & theirs.keys() if ours[key] == theirs[key]} - NAMING
    for line, (before, _, _), arguments in zip((old, new), parts, (ours, theirs), strict=True):
        left = _yaml({key: value for key, value in arguments.items() if key not in same})
        yield line._replace(text=f"{before}{left}{' …' if same else ''}")
