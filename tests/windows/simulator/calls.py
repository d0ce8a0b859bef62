"""What Ansible asks of a Windows host, read back from what its execution wrapper sends.

Since ansible-core 2.19 a pipeline's script is always the bootstrap wrapper; its input is a JSON document that
names the execution wrapper, a separator, a JSON manifest of scripts and actions, and for an upload another
separator and the data. The last action is what is wanted: a module, or one of the connection's own scripts.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

SEPARATOR = "\0\0\0\0"
# What the names of Ansible's own arguments begin with.
OWN = "_ansible_"


@dataclass
class Call:
    """One thing that was asked.

    Args:
        name: The module's full name, or the name of the connection's script, or "command".
        arguments: Its arguments, without those of Ansible itself.
        options: Ansible's own arguments, such as check_mode, without their prefix.
        script: The source that would run.
        data: What was piped in after the manifest.
        actions: The wrappers around it, outermost first.
        environment: The environment variables of the task.
    """

    name: str
    arguments: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    script: str = ""
    data: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self.options.get("check_mode"))


def decode(script: str, lines: list[str]) -> Call:
    """Read a pipeline back.

    Args:
        script: The pipeline's script.
        lines: What was piped into it.

    Returns:
        The call.
    """
    if not lines or SEPARATOR not in lines:
        return Call("command", {"script": script}, script=script, data=lines)
    begin = lines.index(SEPARATOR) + 1
    end = lines.index(SEPARATOR, begin) if SEPARATOR in lines[begin:] else len(lines)
    manifest = json.loads("\n".join(lines[begin:end]))
    *wrappers, action = manifest["actions"]
    scripts = manifest["scripts"]
    parameters = action["params"]
    if "Script" not in parameters:
        source = base64.b64decode(scripts[action["name"]]["script"]).decode()
        return Call(action["name"], parameters, script=source, data=lines[end + 1 :], actions=wrappers)
    name = parameters["Script"].removesuffix(".ps1").removesuffix(".exe")
    given = next(
        (v["Value"] for v in parameters.get("Variables", []) if v["Name"] == "complex_args"),
        {},
    )
    return Call(
        _short(name),
        {key: value for key, value in given.items() if not key.startswith(OWN)},
        options={key[len(OWN) :]: value for key, value in given.items() if key.startswith(OWN)},
        script=base64.b64decode(scripts[parameters["Script"]]["script"]).decode("utf-8-sig"),
        data=lines[end + 1 :],
        actions=wrappers,
        environment=parameters.get("Environment", {}),
    )


def _short(name: str) -> str:
    """Return the name that a task uses: ansible_collections.a.b.plugins.modules.c is a.b.c."""
    parts = name.split(".")
    return ".".join([parts[1], parts[2], parts[-1]]) if parts[0] == "ansible_collections" else name
