"""What commands and scripts answer: each pattern is matched with the whole command line, or the script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.machine import Failure, File, Machine

Answerer = Callable[[Machine, re.Match[str]], dict[str, Any]]
ANSWERS: list[tuple[re.Pattern[str], Answerer]] = []


def answers(pattern: str) -> Callable[[Answerer], Answerer]:
    """Register a function as the answer to the commands that hold a pattern.

    Args:
        pattern: A regular expression, in which case does not count and a dot is any character.

    Returns:
        What registers the function. It is given the host and the match, and returns what differs from the
        module's usual result: for a command stdout, rc and changed; for a script result, output and changed.
    """

    def register(answerer: Answerer) -> Answerer:
        ANSWERS.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), answerer))
        return answerer

    return register


def interpret(machine: Machine, text: str) -> dict[str, Any] | None:
    """Answer a command or a script, or return nothing when no pattern is in it."""
    for pattern, answerer in ANSWERS:
        if match := pattern.search(text):
            return answerer(machine, match)
    return None


@answers(r"^(?P<python>\S+python\.exe) .*hal_checks\.pyz$")
def health_checks(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Answer every check of the order with success, if there is a Python to run them."""
    if not machine.exists(match["python"]):
        return {"rc": 2, "stderr": f"{match['python']} is not there"}
    order = json.loads(machine.stdin)
    results = [{**check, "origin": order["origin"], "ok": True} for check in order["checks"]]
    return {"stdout": json.dumps({"results": results, "ok": True})}


@answers(r"^# Close other rules")
def close_other_rules(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Remove the rules of the group that are not wanted; disable the system's own rule for remoting, once."""
    rules = {key for kind, key in machine.resources if kind.endswith("win_firewall_rule")}
    wanted = {name.lower() for name in machine.parameters["Names"]}
    left = {name for name in rules if name.startswith("hal ")} - wanted
    disabled = machine.declare(
        "disabled", "winrm", {"ports": sorted(machine.parameters["Ports"])}, check=machine.check_mode
    )
    if not machine.check_mode:
        for name in left:
            del machine.resources[("community.windows.win_firewall_rule", name)]
    return {"changed": bool(left) or disabled}


@answers(r"^# Arm the guard")
def arm_guard(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Save the rules and register the task."""
    machine.put(r"C:\ProgramData\HAL\firewall-before.wfw", File())
    machine.declare("community.windows.win_scheduled_task", r"\HAL/firewall revert", {}, check=False)
    return {"changed": True}


def content(machine: Machine, path: str) -> str:
    """Return the text of a file, empty if there is none."""
    found = machine.get(path)
    return (found.content or b"").decode().strip() if found else ""


@answers(r"^# Read the record of what runs")
def read_running(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Tell what runs, and with which settings."""
    release, _, digest = content(machine, machine.parameters["Path"]).partition(" ")
    service = machine.services.get(machine.parameters["Service"].lower())
    found = {"exists": service is not None, "running": bool(service and service["running"])}
    return {
        "changed": False,
        "result": {"release": "" if release == "none" else release, "digest": digest, **found},
    }


@answers(r"^# Name the processes that listen")
def list_port_holders(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Name the household's processes on the ports."""
    holders = [about for (kind, _), about in machine.resources.items() if kind == "listening process"]
    found = [one for one in holders if one["port"] in machine.parameters["Ports"]]
    return {"changed": False, "result": {"holders": found}}


@answers(r"^# Read what listens, and whether")
def read_listeners(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Tell what listens, by default nothing, behind a firewall that refuses."""
    found = machine.resources.get(("listeners", "all"), {"refuses": True, "listeners": []})
    return {"changed": False, "result": found}


@answers(r"^# Read what a Windows host has")
def read_windows(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Tell of the services that the host has."""
    told = [{"name": name, "title": name, "user": "LocalSystem"} for name in machine.services]
    return {
        "changed": False,
        "result": {"services": told, "tasks": [], "users": ["Administrator"], "disks": [], "unread": []},
    }


@answers(r"^# Finish the release")
def finish_release(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Point the link to the release."""
    told = machine.parameters
    link = told["Directory"] + r"\current"
    target = told["Directory"] + "\\releases\\" + told["Release"]
    own = machine.files.get(link.lower())
    changed = own is None or own.target != target
    if changed and not machine.check_mode:
        machine.put(link, File(target=target))
    return {"changed": changed, "result": {"pruned": []}}


@answers(r"python\.exe -I -m (venv|pip) ")
def build_environment(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Make an environment, or install into it."""
    return {"stdout": f"{match[1]} is done"}


@answers(r"^# Read the record of what was installed last")
def read_record(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Tell what was installed last."""
    return {"changed": False, "result": {"digest": content(machine, machine.parameters["Path"])}}


@answers(r"^# Run commands of QM")
def run_qm(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Answer the commands of QM as its programs do, if QM runs."""
    if machine.check_mode:
        return {"changed": False, "result": {"output": []}}
    if not machine.services["qmsvc"]["running"]:
        raise Failure("QM is not running")
    changed = False
    for command in machine.parameters["Commands"]:
        if "HAL.STOP" in command:
            changed |= machine.declare("listener", "HAL", None, check=False)
        elif "HAL.START" in command:
            changed |= machine.declare("listener", "HAL", {"command": command}, check=False)
        elif command.startswith("RUN "):
            changed |= machine.declare("qm", command, {"done": True}, check=False)
    return {"changed": changed, "result": {"output": []}}


@answers(r"\\restic-\S+\.exe .* snapshots --json")
def no_snapshots(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """List the snapshots of a repository that has none yet."""
    return {"stdout": "[]"}


@answers(r"^# Restrict the backup's directory")
def restrict_directory(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Set the directory's access list."""
    path = machine.parameters["Path"]
    return {"changed": machine.declare("access", path, {"restricted": True}, check=machine.check_mode)}


@answers(r"^# Put restic into its place")
def place_restic(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Rename the program."""
    machine.put(machine.parameters["Program"], File())
    machine.remove(machine.parameters["Unpacked"])
    return {"changed": True}


@answers(r"^# Put Shawl into its place")
def place_shawl(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Rename the program, which is the one that is wanted."""
    machine.put(machine.parameters["Program"], File(digests={"sha256": machine.parameters["Sha256"]}))
    machine.remove(machine.parameters["Unpacked"])
    return {"changed": True}
