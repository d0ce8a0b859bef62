#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Keep systemd units enabled, started and running the configuration that is on disk."""

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
short_description: Keep systemd units running the configuration that is on disk
description:
  - Enables and starts units, and restarts or reloads one when what it was started with is no longer on disk.
  - Unlike a handler this survives a run that is killed. What was applied last is recorded by digest in
    C(/var/lib/hal/applied) after the unit came up, so that configuration never applied is noticed.
  - A file without a record counts as applied if it is older than the unit's start.
  - If somebody has started or reloaded the unit since, a file that was written after that is applied again,
    for the unit may have read something else in between.
  - The unit file and its drop-ins always count among I(restart_files); systemd reads them again first.
  - Several units are handled in the order in which they are given. The first that fails ends the call.
  - Not for units that do their work and end.
options:
  units:
    description: The units.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the unit. V(.service) is added to a name without a type.
        type: str
        required: true
      enabled: &enabled
        description: Whether the unit starts with the host. One that cannot be enabled (static) is left so.
        type: bool
        default: true
      state: &state
        description: Whether the unit runs.
        type: str
        choices: [started, stopped]
        default: started
      restart_files: &restart_files
        description:
          - Files and directories that the unit reads when it starts. A path that does not exist counts, too,
            so that its creation is a change.
          - A symbolic link to a directory counts by its target, not by what is in there.
        type: list
        elements: path
        default: []
      reload_files: &reload_files
        description: Files and directories that the unit reads again when it is reloaded.
        type: list
        elements: path
        default: []
      restart: &restart
        description:
          - Whether a unit that runs is restarted for what it reads when it starts. With V(false) it goes on,
            and what has changed counts as applied, as its next start reads it.
        type: bool
        default: true
  name:
    description: Name of a single unit, instead of O(units). The options beside it are that unit's.
    type: str
  enabled: *enabled
  state: *state
  restart_files: *restart_files
  reload_files: *reload_files
  restart: *restart
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

- name: Run Prometheus and its alert manager as configured
  systemd_current:
    units:
      - {name: prometheus-alertmanager, reload_files: [/etc/prometheus/alertmanager.yml]}
      - {name: prometheus, reload_files: [/etc/prometheus/prometheus.yml, /etc/prometheus/rules]}
"""

RETURN = r"""
units:
  description:
    - For each unit its I(name), the I(actions) that were taken, in order (daemon-reload, enable, disable,
      start, restart, reload, stop), the last and weightiest of them as I(action), or V(none), and
      I(outdated), the files that the running unit had not read.
    - If one has failed, those before it.
  type: list
  elements: dict
  returned: always
unit:
  description: Name of the unit that failed.
  type: str
  returned: failure
journal:
  description: The last 20 lines of the journal of the unit that failed.
  type: list
  elements: str
  returned: failure
"""

UNIT_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "restart_files": {"type": "list", "elements": "path", "default": []},
    "reload_files": {"type": "list", "elements": "path", "default": []},
    "restart": {"type": "bool", "default": True},
}
ARGUMENT_SPEC: dict[str, dict[str, Any]] = UNIT_SPEC | {
    "units": {"type": "list", "elements": "dict", "options": UNIT_SPEC},
    "name": {"type": "str"},
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


class Systemd:
    """The host's systemd, asked with its own tool."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.timeout: int = module.params["timeout"]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run systemctl; return its code and what it says."""
        return self.module.run_command(["timeout", str(self.timeout), "systemctl", *arguments])

    def call(self, *arguments: str) -> str:
        """Run systemctl and return what it says. Raises UnitError if it fails."""
        code, output, error = self.run(*arguments)
        if code:
            reason = f"did not end within {self.timeout} s" if code == 124 else f"failed: {first_line(error)}"
            raise UnitError(f"'systemctl {' '.join(arguments)}' {reason}")
        return output

    def refresh(self, units: list[Unit]) -> None:
        """Read the properties of units with one call."""
        if not units:
            return
        options = ("--timestamp=us+utc", f"--property={PROPERTIES}")
        output = self.call("show", *options, "--", *(unit.name for unit in units))
        for unit, block in zip(units, output.split("\n\n"), strict=True):
            unit.properties = dict(line.split("=", 1) for line in block.splitlines())

    def journal(self, unit: Unit) -> list[str]:
        """Return the last 20 lines of a unit's journal."""
        command = ["journalctl", "--no-pager", "--output=cat", "--lines=20", "--unit", unit.name]
        return self.module.run_command(command)[1].splitlines()


class Unit:
    """A systemd unit, what is demanded of it, and the record of what was last applied to it."""

    properties: dict[str, str]

    def __init__(self, demand: dict[str, Any]) -> None:
        name = demand["name"]
        self.name = name if name.rpartition(".")[2] in UNIT_TYPES else f"{name}.service"
        self.runs = demand["state"] == "started"
        self.enabled: bool = demand["enabled"]
        self.may_restart: bool = demand["restart"]
        self.restart_files = [Path(path) for path in demand["restart_files"]]
        self.reload_files = [Path(path) for path in demand["reload_files"]]
        self.reread = False  # whether systemd must read the unit's files again
        self.record_path = RECORDS / f"{self.name}.json"
        try:
            self.record: dict[str, str] = json.loads(self.record_path.read_text())
        except (FileNotFoundError, ValueError):
            self.record = {}

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

    @property
    def is_down(self) -> bool:
        """Whether the unit does not run."""
        return self["ActiveState"] not in ("active", "reloading")


def plan(unit: Unit) -> tuple[list[str], list[str]]:
    """Return the actions that make the unit current, in order, and the outdated files that are the reason."""
    enabled = unit["UnitFileState"]
    actions = ["daemon-reload"] * unit.reread
    if unit.enabled and enabled in ("", "disabled", "linked", "linked-runtime", "enabled-runtime"):
        actions.append("enable")
    elif not unit.enabled and enabled in ("enabled", "enabled-runtime"):
        actions.append("disable")
    if not unit.runs:
        return actions + ["stop"] * (unit["ActiveState"] not in ("inactive", "failed")), []
    restart = unit.outdated(unit.files() + unit.restart_files)
    reload = unit.outdated(unit.reload_files)
    if unit.is_down:
        actions.append("start")
    elif (restart and unit.may_restart) or (reload and unit["CanReload"] != "yes"):
        actions.append("restart")
    elif reload:
        actions.append("reload")
    return actions, restart + reload


def settle(systemd: Systemd, unit: Unit, restarts: int) -> None:
    """Wait until the unit is active and stays so; raise UnitError if it does not.

    `restarts` is how often systemd had restarted it by itself before. More means that it crashed.
    """
    deadline = time.monotonic() + systemd.timeout
    active_since = None
    while True:
        systemd.refresh([unit])
        now = time.monotonic()
        state = unit["ActiveState"]
        crashed = state in ("failed", "inactive") or unit["SubState"].startswith("auto-restart")
        count = int(unit["NRestarts"] or 0)
        if crashed or count > restarts:
            raise UnitError(f"{unit.name} does not stay up ({unit['SubState']}, {unit['Result']}).")
        restarts = count  # an explicit start may reset it
        active_since = (active_since or now) if state == "active" else None
        if active_since and now - active_since >= SETTLE_S:
            return
        if now > deadline:
            raise UnitError(f"{unit.name} is still {state} after {systemd.timeout} s.")
        time.sleep(0.1)


def apply(systemd: Systemd, unit: Unit, actions: list[str], outdated: list[str]) -> None:
    """Carry the actions out. A run killed in between leaves a record that makes the next one act again."""
    if outdated:
        unit.write_record(unit.record | dict.fromkeys(outdated, PENDING))
    restarts = int(unit["NRestarts"] or 0)
    waiting = unit["ActiveState"] == "activating"  # perhaps for its next automatic restart
    for action in actions:
        if action == "start" and unit.is_down:
            # Else systemd may refuse: "start request repeated too quickly". It may fail: a unit that is not
            # loaded, as after a mask that was taken away, has nothing to reset.
            systemd.run("reset-failed", "--", unit.name)
        if action != "daemon-reload":  # which was one for all units
            systemd.call("restart" if action == "start" and waiting else action, "--", unit.name)
    if {"start", "restart", "reload"} & set(actions):
        settle(systemd, unit, restarts)


def make_current(systemd: Systemd, unit: Unit, check: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bring a unit to the demanded state, or predict it; return what the module tells of it and a diff."""
    if unit["LoadState"] == "not-found" and unit.runs and not check:
        raise UnitError(f"There is no unit {unit.name}. Install it before this task.")
    if unit["LoadState"] == "masked" and unit.runs and not (check and unit.reread):
        raise UnitError(f"{unit.name} is masked. Allow it with: systemctl unmask {unit.name}")
    actions, outdated = plan(unit)
    # Taken before the unit reads them: a file that changes meanwhile is outdated again.
    paths = [*unit.files(), *unit.restart_files, *unit.reload_files]
    digests = {str(path): digest(path) for path in paths}
    before: dict[str, Any] = {"state": unit["ActiveState"], "enabled": unit["UnitFileState"]}
    after: dict[str, Any] = {"state": "active" if unit.runs else "inactive", "enabled": before["enabled"]}
    if {"enable", "disable"} & set(actions):
        after["enabled"] = "enabled" if unit.enabled else "disabled"
    before["files"] = {path: unit.record.get(path, "unknown") for path in outdated}
    after["files"] = {path: digests[path] for path in outdated}
    if not check:
        apply(systemd, unit, actions, outdated)
        unit.write_record(digests if unit.runs else {})
    action = actions[-1] if actions else "none"
    result = {"name": unit.name, "action": action, "actions": actions, "outdated": outdated}
    return result, {"before": before, "after": after if actions else before}


def look(systemd: Systemd, units: list[Unit], check: bool) -> None:
    """See how the units are, once systemd has read again what is not as it knows it."""
    systemd.refresh(units)
    for unit in units:
        unit.reread = unit["NeedDaemonReload"] == "yes" or bool(unit.runs and unit.outdated(unit.files()))
    gone = any(unit["LoadState"] in ("not-found", "masked") for unit in units)  # as far as systemd knows
    if not check and (gone or any(unit.reread for unit in units)):
        systemd.call("daemon-reload")
        systemd.refresh(units)


def main() -> None:
    module = AnsibleModule(
        ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[("name", "units")],
        required_one_of=[("name", "units")],
    )
    module.get_bin_path("systemctl", required=True)
    systemd = Systemd(module)
    demands = [module.params] if module.params["name"] else module.params["units"]
    units = [Unit(demand) for demand in demands]
    results: list[dict[str, Any]] = []
    diffs: list[dict[str, Any]] = []
    try:
        look(systemd, units, module.check_mode)
        for unit in units:
            result, diff = make_current(systemd, unit, module.check_mode)
            results.append(result)
            diffs.append({"before_header": unit.name, "after_header": unit.name} | diff)
    except UnitError as error:
        unit = units[len(results)]
        journal = systemd.journal(unit)
        message = "\n".join([str(error), *journal[-5:]])
        module.fail_json(msg=message, unit=unit.name, journal=journal, units=results)
    module.exit_json(changed=any(result["actions"] for result in results), units=results, diff=diffs)


if __name__ == "__main__":
    main()
