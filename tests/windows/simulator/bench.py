"""A simulated host on loopback and Ansible runs against it."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from simulator.certificates import issue
from simulator.machine import Machine
from simulator.server import Server

PROJECT = Path(__file__).resolve().parents[3]
CALLBACKS = (PROJECT / "callback_plugins", PROJECT / "tests/windows/callbacks")
RECAP = re.compile(r"^(\S+)\s*: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass
class Run:
    """What an Ansible run came to.

    Args:
        code: Its exit code.
        output: What it printed.
        calls: What the host recorded of it.
    """

    code: int
    output: str
    calls: list[dict[str, Any]]

    def changed(self, host: str) -> int:
        """Return how many tasks changed a host."""
        return next(int(match[3]) for match in RECAP.finditer(self.output) if match[1] == host)

    def changes(self) -> list[str]:
        """Return the tasks that changed something."""
        task, found = "", []
        for line in self.output.splitlines():
            if match := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\]", line):
                task = match[1]
            elif line.startswith("changed:"):
                found.append(task)
        return found


class Bench:
    """A simulated host, listening while the context lasts.

    Args:
        host: Its name in the inventory.
        machine: What answers.
        variables: Variables of the host which replace those of the inventory, such as secrets.
        password: The password of its administrator, made up if none is given.
    """

    def __init__(
        self, host: str, machine: Machine, variables: dict[str, Any] | None = None, password: str = ""
    ) -> None:
        self.host = host
        self.variables = variables or {}
        self.machine = machine
        self.user = "ansible"
        self.password = password or secrets.token_urlsafe(24)
        self._scratch = tempfile.TemporaryDirectory(prefix="windows-simulator-")
        self.directory = Path(self._scratch.name)
        self._task = self.directory / "task"
        self._task.touch()
        self.machine.task = self._task.read_text
        self.authority, certificate = issue(self.directory)
        self.server = Server(self.machine.interpret, self.user, self.password, certificate)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self.server.__exit__(*reason)
        self._scratch.cleanup()

    def connection(self) -> dict[str, Any]:
        """Return the connection variables of the host, with the certificate validated."""
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.server.port,
            "proxmox_vm_psrp_port": self.server.port,
            "ansible_connection": "ansible.builtin.psrp",
            "ansible_user": self.user,
            "ansible_password": self.password,
            "ansible_become": False,
            "ansible_psrp_protocol": "https",
            "ansible_psrp_auth": "basic",
            "ansible_psrp_cert_validation": "validate",
            "ansible_psrp_ca_cert": str(self.authority),
            "ansible_psrp_ignore_proxy": True,
        }

    def inventory(self, **changes: Any) -> Path:
        """Write what goes on top of the inventory: how the host is reached, and its own variables.

        Args:
            changes: Variables of the host that differ.

        Returns:
            The file.
        """
        path = self.directory / "overlay.json"
        variables = {**self.variables, **self.connection(), **changes}
        path.write_text(json.dumps({"all": {"hosts": {self.host: variables}}}))
        path.chmod(0o600)
        return path

    def run(self, *command: str, timeout: float = 600, **changes: Any) -> Run:
        """Run ansible-playbook against the host, which has a new recording afterwards.

        Args:
            command: Its arguments.
            timeout: After how many seconds it has failed.
            changes: Variables of the host that differ.

        Returns:
            What it came to.
        """
        self.machine.calls.clear()
        environment = {
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.directory / "tmp"),
            "ANSIBLE_CALLBACK_PLUGINS": os.pathsep.join(map(str, CALLBACKS)),
            "SIMULATOR_TASK": str(self._task),
        }
        if sys.dont_write_bytecode:
            # Without bytecode every process compiles what it imports, and Ansible has one for each task.
            environment |= {
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": str(PROJECT / ".cache/bytecode"),
            }
        for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            environment.pop(proxy, None)
        result = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *command,
                "--inventory",
                str(self.inventory(**changes)),
            ],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(result.returncode, result.stdout, list(self.machine.calls))
