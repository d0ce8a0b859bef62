"""A playbook, run to its end or killed on the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
RESULT = "v2_runner_on_"


@dataclass
class Converge:
    """What a run of a playbook came to.

    Attributes:
        code: its exit code; negative when it was killed.
        results: (host, task, outcome) in the order in which they came.
        faults: what failed, as "host: task: message".
    """

    code: int
    results: list[tuple[str, str, str]]
    faults: list[str]


def converge(*arguments: str, kill_after: int | None = None) -> Converge:
    """Run a playbook, by default site.yml.

    With `kill_after`, it is ended at once, with all that it started, after so many results.
    """
    environment = os.environ | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl", "PYTHONUNBUFFERED": "1"}
    command = [str(PROJECT / ".venv/bin/ansible-playbook"), *(arguments or ["site.yml"])]
    results: list[tuple[str, str, str]] = []
    faults: list[str] = []
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for event in _events(process.stdout):
            outcome = event["_event"].removeprefix(RESULT)
            for host, result in event["hosts"].items():
                task = event["task"]["name"]
                results.append((host, task, outcome))
                if outcome in ("failed", "unreachable"):
                    faults.append(f"{host}: {task}: {result.get('msg')}")
            if kill_after is not None and len(results) >= kill_after:
                kill_tree(process.pid)
                break
    return Converge(process.returncode, results, faults)


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Return the results of tasks among what the callback `jsonl` prints."""
    for line in lines:
        with contextlib.suppress(ValueError):  # warnings stand between the events
            event = json.loads(line)
            if event["_event"].startswith(RESULT) and event.get("hosts"):
                yield event


def kill_tree(root: int) -> None:
    """Kill a process and all that it started; Ansible's workers are no part of its process group."""
    os.kill(root, signal.SIGSTOP)  # or it starts more while these are looked for
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    doomed = [root]
    for pid in doomed:
        doomed += children.get(pid, [])
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
