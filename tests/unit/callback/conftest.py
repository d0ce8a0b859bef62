"""Real runs of ansible-playbook on this machine, with the project's output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
HOST = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)\s+time=(.+)$", re.MULTILINE
)


@dataclass
class Run:
    """What a run printed."""

    code: int
    output: str

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """The rows of the table."""
        names = ("ok", "changed", "unreachable", "failed")
        return {
            host: dict(zip(names, map(int, numbers), strict=True)) | {"time": time}
            for host, *numbers, time in HOST.findall(self.output)
        }

    def section(self, title: str) -> str:
        """Return what stands below a title, up to the next one; nothing if there is no such title."""
        found = re.search(rf"^{title} \*+\n(.*?)(?=^[A-Z ]+ \*+$|\Z)", self.output, re.MULTILINE | re.DOTALL)
        return found[1] if found else ""

    @property
    def failures(self) -> dict[str, dict[str, str]]:
        """The failures by host: the task, the cause and the next step."""
        found = re.findall(
            r"^(\w+): (.+)\n  Cause:  (.+)\n  Next:   (.+(?:\n {10}.+)*)$",
            self.section("FAILURES"),
            re.MULTILINE,
        )
        return {host: {"task": task, "cause": cause, "next": step} for host, task, cause, step in found}

    @property
    def progress(self) -> list[str]:
        """The lines about what still ran."""
        return [line for line in self.output.splitlines() if line.startswith("still running: ")]


def run_play(
    directory: Path,
    tasks: list[dict[str, Any]],
    *arguments: str,
    hosts: dict[str, dict[str, Any]],
    interval: float = 60,
    slowest: int = 5,
    **play: Any,
) -> Run:
    """Run these tasks on hosts that are all this machine.

    `hosts` may have variables: {name: {variable: value}}. Further keywords belong to the play.
    """
    content = {
        "hosts": "all",
        "gather_facts": False,
        "strategy": "ansible.builtin.free",
        "tasks": tasks,
    } | play
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    (directory / "play.yml").write_text(json.dumps([content]))
    settings = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_INVENTORY": str(directory / "hosts.yml"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "HAL_PROGRESS_INTERVAL": str(interval),
        "HAL_SLOWEST_TASKS": str(slowest),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    }
    done = subprocess.run(
        ["ansible-playbook", "--connection=local", "play.yml", *arguments],
        cwd=directory,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Run]:
    """Run tasks for one test."""
    return lambda *arguments, **keywords: run_play(tmp_path, *arguments, **keywords)
