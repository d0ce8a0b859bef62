"""Recordings of what a host was asked: made comparable, compared, and searched for secrets."""

from __future__ import annotations

import base64
import contextlib
import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    (re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]|\.\d)"), "<version>"),
]


def normalise(calls: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """Return a recording with what may differ replaced.

    Args:
        calls: The recording.
        names: What else is replaced, and what by: paths of this machine, secrets of this run.

    Returns:
        The recording of any other run of the same playbook.
    """
    return [_masked(call, names) for call in calls]


def _masked(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, names) for item in value]
    if isinstance(value, str):
        if value.startswith("{"):
            with contextlib.suppress(ValueError):
                return _masked(json.loads(value), names)
        for text, name in names.items():
            value = value.replace(text, f"<{name}>")
        for pattern, name in MASKS:
            value = pattern.sub(name, value)
    return value


def difference(golden: Path, calls: list[dict[str, Any]]) -> str:
    """Return how a normalised recording differs from the one that is kept, or nothing.

    Args:
        golden: The file that it is kept in.
        calls: The recording.
    """
    kept = golden.read_text().splitlines() if golden.exists() else []
    lines = text(calls).splitlines()
    return "\n".join(difflib.unified_diff(kept, lines, f"kept: {golden.name}", "recorded now", lineterm=""))


def text(calls: list[dict[str, Any]]) -> str:
    """Return a recording as it is kept."""
    return json.dumps(calls, indent=1, ensure_ascii=False) + "\n"


def leaks(secrets: dict[str, str], calls: list[dict[str, Any]], intended: dict[str, str]) -> Iterator[str]:
    """Yield where a secret went that it should not have gone.

    Args:
        secrets: The secrets by name.
        calls: A recording as it was made.
        intended: By name, a pattern for the calls (name and arguments, as JSON) that may hold the secret.
    """
    for call in calls:
        dumped = json.dumps(call, ensure_ascii=False)
        for name, secret in secrets.items():
            if any(form in dumped for form in forms(secret)) and not (
                name in intended and re.search(intended[name], dumped)
            ):
                yield f"{name} is in a call of {call['call']}"


def forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written: as it is, in JSON, and in base64 as PowerShell takes it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    for encoded in (secret.encode(), secret.encode("utf-16-le")):
        # Within a longer text base64 shows it in one of three ways; what is cut depends on its neighbours.
        for shift in range(3):
            piece = base64.b64encode(b"\0" * shift + encoded).decode()[4 * bool(shift) : -4]
            if len(piece) >= 8:
                yield piece
