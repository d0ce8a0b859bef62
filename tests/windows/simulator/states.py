"""The states in which a simulated host may be found."""

from __future__ import annotations

import copy

from simulator import commands
from simulator.machine import File, Machine, State
from simulator.modules import MODULES


def windows_server(state: State | None = None) -> Machine:
    """Return a fresh Windows Server 2022 on which OpenQM is installed and runs, as the roles expect it.

    Args:
        state: What was set on it since; it is not touched.
    """
    if state:
        return Machine(MODULES, [commands.interpret], copy.deepcopy(state))
    machine = Machine(MODULES, [commands.interpret])
    machine.services["qmsvc"] = {"running": True, "start_mode": "auto", "path": r"C:\QMSYS\bin\qmsvc.exe"}
    machine.services["w32time"] = {
        "running": True,
        "start_mode": "manual",
        "path": r"C:\Windows\System32\svchost.exe",
    }
    machine.put(r"C:\QMSYS\bin\qm.exe", File())
    machine.put(r"C:\QMSYS\qmconfig", File(content=b"[qm]\nNUMUSERS=8\n"))
    machine.make_directory(r"C:\QMSYS\HAL")
    return machine


def with_own_gateway() -> Machine:
    """Return a fresh host on which somebody runs the household's own gateway by hand."""
    machine = windows_server()
    about = {"port": 8768, "process": 4321, "name": "python.exe", "script": "voice_gateway.py"}
    machine.declare("listening process", "8768", about, check=False)
    return machine


def with_open_firewall() -> Machine:
    """Return a fresh host whose firewall is off, and which serves films to everybody."""
    machine = windows_server()
    films = {
        "port": 32400,
        "addresses": ["0.0.0.0"],
        "process": 77,
        "program": "Plex Media Server.exe",
        "path": r"C:\Program Files\Plex\Plex Media Server.exe",
        "services": [],
        "admitted": [],
    }
    machine.declare("listeners", "all", {"refuses": False, "listeners": [films]}, check=False)
    return machine


def without_qm(state: State) -> Machine:
    """Return a host whose database has stopped.

    Args:
        state: What it was before.
    """
    machine = windows_server(state)
    machine.services["qmsvc"]["running"] = False
    return machine
