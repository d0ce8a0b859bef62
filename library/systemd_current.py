#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Keep a systemd unit enabled, started and running the configuration that is on disk."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: systemd_current
short_description: Keep a systemd unit running the configuration that is on disk
description:
  - Enables and starts a unit, and restarts or reloads it when what it was started with is no longer on disk.
  - Unlike a handler this survives a run that is killed. What was applied last is recorded by digest in
    C(/var/lib/hal/applied) after the unit came up, so that configuration never applied is noticed.
  - A file without a record counts as applied if it is older than the unit's start.
  - If somebody has started or reloaded the unit since, a file that was written after that is applied again,
    for the unit may have read something else in between.
  - The unit file and its drop-ins always count among I(restart_files); systemd reads them again first.
  - Not for units that do their work and end.
options:
  name:
    description: Name of the unit. V(.service) is added to a name without a type.
    type: str
    required: true
  enabled:
    description: Whether the unit starts with the host. One that cannot be enabled (static) is left as it is.
    type: bool
    default: true
  state:
    description: Whether the unit runs.
    type: str
    choices: [started, stopped]
    default: started
  restart_files:
    description:
      - Files and directories that the unit reads when it starts. A path that does not exist counts, too, so
        that its creation is a change.
      - A symbolic link to a directory counts by its target, not by what is in there.
    type: list
    elements: path
    default: []
  reload_files:
    description: Files and directories that the unit reads again when it is reloaded.
    type: list
    elements: path
    default: []
  timeout:
    description: Seconds within which each step must succeed.
    type: int
    default: 90
attributes:
  check_mode:
    support: full
    description: A unit that does not exist counts as one that is going to be installed and started.
  diff_mode:
    support: full
    description: Shows states and digests, never the content of a file.
author: HAL network
"""

EXAMPLES = r"""
- name: Run HAProxy as configured
  systemd_current:
    name: haproxy
    reload_files: [/etc/haproxy/haproxy.cfg]

- name: Run the gateway as configured
  systemd_current:
    name: hal-gateway
    restart_files: [/opt/hal/gateway/current, /etc/hal/gateway.env]
"""

RETURN = r"""
action:
  description: The last and weightiest of I(actions), or V(none).
  type: str
  returned: success
actions:
  description: What was done, in order - daemon-reload, enable, disable, start, restart, reload, stop.
  type: list
  elements: str
  returned: success
outdated:
  description: The files that the running unit had not read.
  type: list
  elements: str
  returned: success
journal:
  description: The last 20 lines of the unit's journal.
  type: list
  elements: str
  returned: failure
"""

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "restart_files": {"type": "list", "elements": "path", "default": []},
    "reload_files": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "int", "default": 90},
}
RECORDS = Path("/var/lib/hal/applied")
UNIT_DIRECTORIES = [Path(root, "systemd/system") for root in ("/etc", "/run", "/usr/local/lib", "/usr/lib")]
UNIT_TYPES = {"service", "socket", "timer", "path", "mount", "automount", "swap", "target", "slice", "scope"}
PROPERTIES = (
    "LoadState ActiveState SubState Result UnitFileState NeedDaemonReload FragmentPath DropInPaths "
    "ActiveEnterTimestamp ExecMainStartTimestamp StateChangeTimestamp NRestarts CanReload"
).replace(" ", ",")
LARGE_BYTES = 4 << 20  # larger files count by size and time, so that a model does not cost seconds
SETTLE_S = 1.0  # a unit that stays up this long is taken to be up
PENDING = "pending"  # in a record: about to be applied, not known to be


class UnitError(Exception):
    """The unit is not as demanded; the text says why and what to do."""


def digest(path: Path) -> str:
    """Return a short digest of a file, a link or a tree, V(absent) if there is none."""
    total = hashlib.sha256()
    if not os.path.lexists(path):
        return "absent"
    if path.is_symlink():
        total.update(b"link " + os.fsencode(path.readlink()))
    if path.is_file():
        status = path.stat()
        large = status.st_size > LARGE_BYTES
        total.update(f"{status.st_size} {status.st_mtime_ns}".encode() if large else path.read_bytes())
    elif path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            total.update(os.fsencode(child.name) + b"\0" + digest(child).encode())
    return total.hexdigest()[:12]


def changed_at(path: Path) -> float:
    """Return when a path last changed (Unix time); for a missing one, when its directory did."""
    if not os.path.lexists(path):
        return changed_at(path.parent)
    times = [path.lstat().st_ctime]
    if path.is_file():
        times.append(path.stat().st_ctime)
    elif path.is_dir() and not path.is_symlink():
        times += [changed_at(child) for child in path.iterdir()]
    return max(times)


def first_line(text: str) -> str:
    """Return the first line of what a command said; the rest of systemctl's is advice."""
    return text.strip().partition("\n")[0]


class Unit:
    """A systemd unit and the record of what was last applied to it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.timeout: int = module.params["timeout"]
        name = module.params["name"]
        self.name = name if name.rpartition(".")[2] in UNIT_TYPES else f"{name}.service"
        self.record_path = RECORDS / f"{self.name}.json"
        try:
            self.record: dict[str, str] = json.loads(self.record_path.read_text())
        except (FileNotFoundError, ValueError):
            self.record = {}
        self.refresh()

    def systemctl(self, *arguments: str) -> str:
        """Run systemctl and return what it says."""
        limit = ["timeout", str(self.timeout)]
        code, output, error = self.module.run_command([*limit, "systemctl", *arguments])
        if code:
            reason = f"did not end within {self.timeout} s" if code == 124 else f"failed: {first_line(error)}"
            raise UnitError(f"'systemctl {' '.join(arguments)}' {reason}")
        return output

    def refresh(self) -> None:
        """Read the unit's properties with one call."""
        output = self.systemctl("show", "--timestamp=us+utc", f"--property={PROPERTIES}", "--", self.name)
        self.properties = dict(line.split("=", 1) for line in output.splitlines())

    def __getitem__(self, name: str) -> str:
        return self.properties.get(name, "")

    def time_of(self, *names: str) -> float:
        """Return the first of these times that systemd knows (Unix time), 0 without any."""
        text = next(filter(None, map(self.__getitem__, names)), "")
        if not text:
            return 0.0
        moment = datetime.datetime.strptime(text.split(" ", 1)[1], "%Y-%m-%d %H:%M:%S.%f UTC")
        return moment.replace(tzinfo=datetime.UTC).timestamp()

    def started_at(self) -> float:
        """Return when the unit's main process started, or the unit became active (Unix time)."""
        return self.time_of("ExecMainStartTimestamp", "ActiveEnterTimestamp")

    def read_otherwise(self, path: Path) -> bool:
        """Return whether others have started or reloaded the unit, and the file was written after that."""
        acted = self.time_of("StateChangeTimestamp")
        return self.record_path.stat().st_mtime < acted < (changed_at(path) if os.path.lexists(path) else 0.0)

    def files(self) -> list[Path]:
        """Return unit file and drop-ins: those systemd knows, those on disk and those of last time."""
        known = {Path(path) for path in [self["FragmentPath"], *self["DropInPaths"].split()] if path}
        on_disk = {path for folder in UNIT_DIRECTORIES for path in (folder / f"{self.name}.d").glob("*.conf")}
        on_disk |= {path for folder in UNIT_DIRECTORIES if os.path.lexists(path := folder / self.name)}
        recorded = {
            Path(path) for path in self.record if any(map(Path(path).is_relative_to, UNIT_DIRECTORIES))
        }
        return sorted(known | on_disk | recorded)

    def outdated(self, paths: list[Path]) -> list[str]:
        """Return those paths that differ from what the unit was last started or reloaded with."""
        started = self.started_at()
        return [
            str(path)
            for path in paths
            if (
                self.record[str(path)] != digest(path) or self.read_otherwise(path)
                if str(path) in self.record
                else changed_at(path) > started
            )
        ]

    def write_record(self, record: dict[str, str]) -> None:
        """Replace the record, so that it is never half written."""
        if record == self.record and self.record_path.exists():
            return
        RECORDS.mkdir(parents=True, exist_ok=True)
        temporary = self.record_path.with_suffix(".new")
        temporary.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
        temporary.replace(self.record_path)
        self.record = record

    def settle(self, restarts: int) -> None:
        """Wait until the unit is active and stays so; raise UnitError if it does not.

        `restarts` is how often systemd had restarted it by itself before. More means that it crashed.
        """
        deadline = time.monotonic() + self.timeout
        active_since = None
        while True:
            self.refresh()
            now = time.monotonic()
            state = self["ActiveState"]
            crashed = state in ("failed", "inactive") or self["SubState"].startswith("auto-restart")
            count = int(self["NRestarts"] or 0)
            if crashed or count > restarts:
                raise UnitError(f"{self.name} does not stay up ({self['SubState']}, {self['Result']}).")
            restarts = count  # an explicit start may reset it
            active_since = (active_since or now) if state == "active" else None
            if active_since and now - active_since >= SETTLE_S:
                return
            if now > deadline:
                raise UnitError(f"{self.name} is still {state} after {self.timeout} s.")
            time.sleep(0.1)

    def journal(self) -> list[str]:
        """Return the last 20 lines of the unit's journal."""
        command = ["journalctl", "--no-pager", "--output=cat", "--lines=20", "--unit", self.name]
        return self.module.run_command(command)[1].splitlines()


def plan(unit: Unit, params: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the actions that make the unit current, in order, and the outdated files that are the reason."""
    stale = unit["NeedDaemonReload"] == "yes"
    enabled = unit["UnitFileState"]
    actions = []
    if params["enabled"] and enabled in ("", "disabled", "linked", "linked-runtime", "enabled-runtime"):
        actions.append("enable")
    elif not params["enabled"] and enabled in ("enabled", "enabled-runtime"):
        actions.append("disable")
    if params["state"] == "stopped":
        actions += ["stop"] if unit["ActiveState"] not in ("inactive", "failed") else []
        return ["daemon-reload"] * stale + actions, []
    own = unit.outdated(unit.files())
    restart = own + unit.outdated([Path(path) for path in params["restart_files"]])
    reload = unit.outdated([Path(path) for path in params["reload_files"]])
    if unit["ActiveState"] not in ("active", "reloading"):
        actions.append("start")
    elif restart or (reload and unit["CanReload"] != "yes"):
        actions.append("restart")
    elif reload:
        actions.append("reload")
    return ["daemon-reload"] * (stale or bool(own)) + actions, restart + reload


def apply(unit: Unit, actions: list[str], outdated: list[str]) -> None:
    """Carry the actions out. A run killed in between leaves a record that makes the next one act again."""
    if outdated:
        unit.write_record(unit.record | dict.fromkeys(outdated, PENDING))
    down = unit["ActiveState"] not in ("active", "reloading")
    restarts = int(unit["NRestarts"] or 0)
    waiting = unit["ActiveState"] == "activating"  # perhaps for its next automatic restart
    for action in actions:
        if action == "daemon-reload":
            unit.systemctl(action)
            continue
        if action == "start" and down:  # else systemd may refuse: "start request repeated too quickly"
            unit.systemctl("reset-failed", "--", unit.name)
        unit.systemctl("restart" if action == "start" and waiting else action, "--", unit.name)
    if {"start", "restart", "reload"} & set(actions):
        unit.settle(restarts)


def make_current(unit: Unit, params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Bring the unit to the demanded state, or predict it; return what the module returns."""
    running = params["state"] == "started"
    if unit["LoadState"] == "not-found" and not check:
        unit.systemctl("daemon-reload")
        unit.refresh()
        if unit["LoadState"] == "not-found" and running:
            raise UnitError(f"There is no unit {unit.name}. Install it before this task.")
    if unit["LoadState"] == "masked" and running:
        raise UnitError(f"{unit.name} is masked. Allow it with: systemctl unmask {unit.name}")
    actions, outdated = plan(unit, params)
    # Taken before the unit reads them: a file that changes meanwhile is outdated again.
    paths = [*map(str, unit.files()), *params["restart_files"], *params["reload_files"]]
    digests = {path: digest(Path(path)) for path in paths}
    before: dict[str, Any] = {"state": unit["ActiveState"], "enabled": unit["UnitFileState"]}
    after: dict[str, Any] = {"state": "active" if running else "inactive", "enabled": before["enabled"]}
    if {"enable", "disable"} & set(actions):
        after["enabled"] = "enabled" if params["enabled"] else "disabled"
    before["files"] = {path: unit.record.get(path, "unknown") for path in outdated}
    after["files"] = {path: digests[path] for path in outdated}
    if not check:
        apply(unit, actions, outdated)
        unit.write_record(digests if running else {})
    return {
        "changed": bool(actions),
        "action": actions[-1] if actions else "none",
        "actions": actions,
        "outdated": outdated,
        "diff": {"before": before, "after": after if actions else before},
    }


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    module.get_bin_path("systemctl", required=True)
    unit = None
    try:
        unit = Unit(module)
        result = make_current(unit, module.params, module.check_mode)
    except UnitError as error:
        journal = unit.journal() if unit else []
        module.fail_json(msg="\n".join([str(error), *journal[-5:]]), journal=journal)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
