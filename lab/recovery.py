"""Run the playbook that brings a host back, and note when each of its phases ended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.network import PROJECT

ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PROVISIONED, CONFIGURED, RESTORED, VERIFIED = "provisioned", "configured", "restored", "verified"
ENDED = ("v2_runner_on_ok", "v2_runner_on_failed", "v2_runner_on_unreachable", "v2_runner_on_skipped")


def phase_of(path: str) -> str:
    """Return which phase a task belongs to, by the file that it stands in."""
    file = path.rpartition(":")[0]
    if "/roles/proxmox_vm/" in file or file.endswith("/provision.yml"):
        return PROVISIONED
    if "restore" in Path(file).stem:
        return RESTORED
    if file.endswith(("/verify.yml", "/validate.yml", "/names.yml", "/check_windows.yml")):
        return VERIFIED
    return CONFIGURED


def step_of(path: str, name: str) -> str:
    """Return what a task's seconds are counted as: its role, or a phase.

    Args:
        path: the file and line of the task.
        name: the task's name.
    """
    phase = phase_of(path)
    if phase == PROVISIONED:
        return "waiting for SSH" if "answers SSH" in name else "provisioning"
    if phase == RESTORED:
        return "restore"
    if role := re.search(r"/roles/([^/]+)/", path):
        return role[1]
    return "verify" if "/verify.yml" in path or "/check_" in path else "preparation"


@dataclass
class Recovery:
    """What a run of the playbook did.

    Attributes:
        hosts: the hosts that come back.
        log: file for a line about each task.
        ended: when each phase's last task on one of them ended, Unix time.
        spent: seconds by step, as `step_of` names them: from a result of the run to the next.
        began: when the run began, Unix time.
        failures: what failed, as "host: task: message".
        code: the playbook's exit code.
    """

    hosts: tuple[str, ...]
    log: Path
    ended: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    code: int | None = None
    began: float = 0.0
    _last: float = 0.0

    def run(self, *arguments: str) -> float:
        """Run ansible-playbook with these arguments to its end and return when that was (Unix time)."""
        environment = os.environ | {
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl",
            "PYTHONUNBUFFERED": "1",
        }
        command = [str(ANSIBLE_PLAYBOOK), *arguments]
        self.log.parent.mkdir(exist_ok=True)
        self.began = self._last = time.time()
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            ) as process,
        ):
            for line in process.stdout or ():
                try:
                    event = json.loads(line)
                except ValueError:  # a warning among the events
                    log.write(line)
                    continue
                self._note(event, log)
                log.flush()
            self.code = process.wait()
        return time.time()

    def _note(self, event: dict[str, Any], log: Any) -> None:
        """Note when a task ended, and what failed."""
        if event["_event"] not in ENDED:
            return
        moment = time.time()
        task = event["task"]
        step = step_of(task["path"], task["name"])
        self.spent[step] = self.spent.get(step, 0.0) + moment - self._last
        self._last = moment
        for host, result in event["hosts"].items():
            state = event["_event"].removeprefix("v2_runner_on_")
            log.write(
                f"{time.strftime('%H:%M:%S', time.localtime(moment))} {host:<8} {state:<8} {task['name']}\n"
            )
            if state in ("failed", "unreachable"):
                self.failures.append(f"{host}: {task['name']}: {result.get('msg', 'no message')}")
                log.write(f"  {self.failures[-1]}\n")
            if host in self.hosts and state == "ok":
                self.ended[phase_of(task["path"])] = moment
