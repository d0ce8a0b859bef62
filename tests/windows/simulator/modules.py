"""How the modules of ansible.windows and community.windows answer: by comparing with what was set before."""

from __future__ import annotations

from typing import Any

from simulator.calls import Call
from simulator.facts import gather
from simulator.files import copy, file, find, get_url, slurp, stat, unzip
from simulator.machine import Failure, File, Machine, Module


def declared(*keys: str, absent: str = "absent", ignored: tuple[str, ...] = ()) -> Module:
    """Return the simulation of a module that brings a named thing to given properties.

    Args:
        keys: The options that say which one it is, the first that is given.
        absent: The state that removes it.
        ignored: Options that say how, not what.

    Returns:
        The simulation.
    """

    def module(machine: Machine, call: Call) -> dict[str, Any]:
        arguments = call.arguments
        name = "/".join(str(arguments[key]) for key in keys if key in arguments)
        wanted = {key: value for key, value in arguments.items() if key not in (*ignored, "state")}
        changed = machine.declare(
            call.name, name, None if arguments.get("state") == absent else wanted, check=call.check_mode
        )
        return {"changed": changed}

    return module


def async_status(machine: Machine, call: Call) -> dict[str, Any]:
    job = call.arguments["jid"]
    if call.arguments.get("mode") == "cleanup":
        return {"ansible_job_id": job, "erased": job}
    return {**machine.jobs[job], "ansible_job_id": job, "started": True, "finished": True}


def ping(machine: Machine, call: Call) -> dict[str, Any]:
    if call.arguments.get("data") == "crash":
        raise Failure("boom")
    return {"ping": call.arguments.get("data", "pong")}


def setup(machine: Machine, call: Call) -> dict[str, Any]:
    return {"ansible_facts": gather(call.arguments.get("gather_subset", ["all"]))}


def package(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    name = arguments.get("creates_path") or arguments.get("product_id") or arguments.get("path")
    present = (
        machine.exists(name)
        if "creates_path" in arguments
        else (("package", name.lower()) in machine.resources)
    )
    wanted = arguments.get("state", "present") == "present"
    if present != wanted and not call.check_mode:
        path = arguments.get("path")
        if wanted and path and "://" not in path and not machine.exists(path):
            raise Failure(f"the file at the path '{path}' cannot be reached")
        machine.declare("package", name, dict(arguments) if wanted else None, check=False)
        if "creates_path" in arguments:
            machine.put(name, File()) if wanted else machine.remove(name)
    return {"changed": present != wanted, "rc": 0, "reboot_required": False}


SERVICE_RUNS = {"started": True, "restarted": True, "stopped": False}


def service(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    name, state = arguments["name"], arguments.get("state")
    present = machine.services.get(name.lower())
    if state == "absent":
        if present and not call.check_mode:
            del machine.services[name.lower()]
        return {"changed": present is not None, "exists": False}
    if present is None and "path" not in arguments:
        raise Failure(f"Service '{name}' is not installed, need to set 'path' to create a new service")
    ways = ("name", "state", "update_password", "force_dependent_services", "dependency_action", "password")
    wanted = {key: value for key, value in arguments.items() if key not in ways}
    merged = {"running": False, "start_mode": "auto", **(present or {}), **wanted}
    changed = merged != present or state == "restarted"
    if state in SERVICE_RUNS:
        if merged["start_mode"] == "disabled" and SERVICE_RUNS[state]:
            raise Failure(f"Cannot start service '{name}': it is disabled")
        changed = changed or merged["running"] != SERVICE_RUNS[state]
        merged["running"] = SERVICE_RUNS[state]
    if not call.check_mode:
        machine.services[name.lower()] = merged
    return {
        "changed": changed,
        "exists": True,
        "name": name,
        "state": "running" if merged["running"] else "stopped",
        "start_mode": merged["start_mode"],
        "path": merged.get("path", ""),
        "username": merged.get("username", "LocalSystem"),
    }


def service_info(machine: Machine, call: Call) -> dict[str, Any]:
    name = call.arguments.get("name", "*").lower()
    found = {key: value for key, value in machine.services.items() if name in ("*", key)}
    services = [
        {
            "name": value.get("display_name", key),
            "service_name": key,
            "state": "started" if value["running"] else "stopped",
            "start_mode": value["start_mode"],
            "path": value.get("path", ""),
            "username": value.get("username", "LocalSystem"),
        }
        for key, value in found.items()
    ]
    return {"exists": bool(services), "services": services}


def command(machine: Machine, call: Call) -> dict[str, Any]:
    """Answer win_command and win_shell, which do nothing in check mode."""
    arguments = call.arguments
    text = (
        " ".join(arguments["argv"])
        if "argv" in arguments
        else (arguments.get("cmd") or arguments.get("_raw_params", ""))
    )
    if skipped := _guarded(machine, arguments):
        return skipped | {"cmd": text, "rc": 0}
    if call.check_mode:
        return {"skipped": True, "msg": f"remote module ({call.name}) does not support check mode"}
    result = {
        "changed": True,
        "cmd": text,
        "rc": 0,
        "stdout": "",
        "stderr": "",
        **machine.execute(text, arguments.get("stdin", "")),
    }
    if result["rc"]:
        result |= {"failed": True, "msg": "non-zero return code"}
    elif creates := arguments.get("creates"):
        machine.put(creates, File())
    return result | {"stdout_lines": result["stdout"].splitlines(), "stderr_lines": []}


def powershell(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    script = arguments["script"]
    if skipped := _guarded(machine, arguments):
        return skipped
    if call.check_mode and "SupportsShouldProcess" not in script:
        return {"changed": True, "msg": "skipped, running in check mode"}
    machine.parameters, machine.check_mode = arguments.get("parameters") or {}, call.check_mode
    answer = machine.execute(script)
    if (creates := arguments.get("creates")) and not call.check_mode:
        machine.put(creates, File())
    streams = {name: [] for name in ("output", "error", "warning", "verbose", "debug", "information")}
    return {"changed": True, "result": {}, "host_out": "", "host_err": "", **streams, **answer}


def _guarded(machine: Machine, arguments: dict[str, Any]) -> dict[str, Any] | None:
    if (creates := arguments.get("creates")) and machine.exists(creates):
        return {"skipped": True, "msg": f"skipped, since {creates} exists"}
    if (removes := arguments.get("removes")) and not machine.exists(removes):
        return {"skipped": True, "msg": f"skipped, since {removes} does not exist"}
    return None


def registry(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    path = arguments["path"]
    name = f"{path}|{arguments.get('name', '')}"
    absent = arguments.get("state") == "absent"
    wanted = {key: arguments[key] for key in ("data", "type") if key in arguments}
    if not absent:
        machine.declare("registry", path, {}, check=call.check_mode)
    return {"changed": machine.declare("value", name, None if absent else wanted, check=call.check_mode)}


def registry_stat(machine: Machine, call: Call) -> dict[str, Any]:
    path, name = call.arguments["path"], call.arguments.get("name")
    if name is None:
        return {"exists": ("registry", path.lower()) in machine.resources, "properties": {}, "sub_keys": []}
    value = machine.resources.get(("value", f"{path}|{name}".lower()))
    if value is None:
        return {"exists": False}
    data = value.get("data")
    return {"exists": True, "value": data, "raw_value": data, "type": value.get("type")}


def uri(machine: Machine, call: Call) -> dict[str, Any]:
    return {"status_code": 200, "content": "", "url": call.arguments["url"]}


def wait_for(machine: Machine, call: Call) -> dict[str, Any]:
    return {"elapsed": 0}


def scheduled_task_stat(machine: Machine, call: Call) -> dict[str, Any]:
    name = f"{call.arguments.get('path', '')}{call.arguments.get('name', '')}".lower()
    there = any(kind.endswith("scheduled_task") and key.endswith(name) for kind, key in machine.resources)
    return {"task_exists": there, "folder_exists": True, "state": {"status": "TASK_STATE_READY"}}


ANSIBLE_WINDOWS: dict[str, Module] = {
    "async_status": async_status,
    "setup": setup,
    "slurp": slurp,
    "win_acl": declared("path", "user", "rights", "type"),
    "win_acl_inheritance": declared("path"),
    "win_command": command,
    "win_copy": copy,
    "win_dns_client": declared("adapter_names"),
    "win_environment": declared("name", "level"),
    "win_eventlog": declared("name"),
    "win_feature": declared("name"),
    "win_file": file,
    "win_find": find,
    "win_firewall": declared(),
    "win_get_url": get_url,
    "win_group": declared("name"),
    "win_group_membership": declared("name"),
    "win_hostname": declared(),
    "win_hosts": declared("canonical_name", "ip_address"),
    "win_optional_feature": declared("name"),
    "win_owner": declared("path", ignored=("recurse",)),
    "win_package": package,
    "win_path": declared("name", "elements", "scope"),
    "win_ping": ping,
    "win_powershell": powershell,
    "win_reg_stat": registry_stat,
    "win_regedit": registry,
    "win_service": service,
    "win_service_info": service_info,
    "win_share": declared("name"),
    "win_shell": command,
    "win_stat": stat,
    "win_tempfile": lambda machine, call: {"changed": True, "path": r"C:\Users\ansible\AppData\Local\Temp\t"},
    "win_timezone": declared(),
    "win_uri": uri,
    "win_user": declared("name", ignored=("password", "update_password")),
    "win_user_profile": declared("name"),
    "win_user_right": declared("name"),
    "win_wait_for": wait_for,
}
COMMUNITY_WINDOWS: dict[str, Module] = {
    "win_eventlog_entry": declared("log", "source", "event_id"),
    "win_firewall_rule": declared("name"),
    "win_lineinfile": declared("path", "line"),
    "win_pagefile": declared("drive"),
    "win_power_plan": declared(),
    "win_scheduled_task": declared("path", "name"),
    "win_scheduled_task_stat": scheduled_task_stat,
    "win_security_policy": declared("section", "key"),
    "win_unzip": unzip,
    "win_wait_for_process": wait_for,
}
MODULES: dict[str, Module] = {
    **{f"ansible.windows.{name}": module for name, module in ANSIBLE_WINDOWS.items()},
    **{f"community.windows.{name}": module for name, module in COMMUNITY_WINDOWS.items()},
}
