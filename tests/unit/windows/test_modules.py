"""The simulated modules: what is set is remembered, again it changes nothing, check mode only tells."""

import pytest
from simulator.calls import Call
from simulator.machine import Failure, Machine
from simulator.modules import MODULES
from simulator.states import windows_server, without_qm

ARCHIVE = r"C:\ProgramData\HAL\wheels.zip"
SERVICE = {"name": "HalGateway", "path": r"C:\shawl.exe run", "start_mode": "delayed", "state": "started"}
FETCH = {
    "url": "http://nas/wheels.zip",
    "dest": ARCHIVE,
    "checksum": "B" * 64,
    "checksum_algorithm": "sha256",
}
# Each is asked of a host three times: in check mode, then twice.
IDEMPOTENT = [
    ("ansible.windows.win_file", {"path": r"C:\ProgramData\HAL\a", "state": "directory"}),
    ("ansible.windows.win_service", SERVICE),
    ("ansible.windows.win_get_url", FETCH),
    ("ansible.windows.win_regedit", {"path": r"HKLM:\SOFTWARE\HAL", "name": "a", "data": "1"}),
    (
        "ansible.windows.win_package",
        {"path": r"C:\QMSYS\bin\qm.exe", "creates_path": r"C:\Python\python.exe"},
    ),
    ("ansible.windows.win_timezone", {"timezone": "UTC"}),
    ("community.windows.win_firewall_rule", {"name": "psrp", "localport": "5986", "action": "allow"}),
    ("community.windows.win_scheduled_task", {"name": "backup", "path": "\\HAL\\", "username": "SYSTEM"}),
]


def ask(machine: Machine, module: str, check: bool = False, **arguments):
    return MODULES[module](machine, Call(module, arguments, {"check_mode": check}))


@pytest.fixture
def machine():
    return Machine(MODULES, [lambda machine, text: {"stdout": "done"} if text == "known" else None])


@pytest.mark.parametrize(("module", "arguments"), IDEMPOTENT, ids=[module for module, _ in IDEMPOTENT])
def test_setting_something_changes_it_once(module, arguments):
    machine = windows_server()
    assert ask(machine, module, check=True, **arguments)["changed"]
    assert ask(machine, module, **arguments)["changed"]
    assert not ask(machine, module, **arguments)["changed"]
    assert not ask(machine, module, check=True, **arguments)["changed"]


@pytest.mark.parametrize(("module", "arguments"), IDEMPOTENT, ids=[module for module, _ in IDEMPOTENT])
def test_what_differs_changes_it_again(module, arguments):
    machine = windows_server()
    ask(machine, module, **arguments)
    differs = {
        "ansible.windows.win_file": {"state": "absent"},
        "ansible.windows.win_service": {"state": "stopped"},
        "ansible.windows.win_get_url": {"checksum": "C" * 64},
        "ansible.windows.win_regedit": {"data": "2"},
        "ansible.windows.win_package": {"state": "absent"},
        "ansible.windows.win_timezone": {"timezone": "GMT"},
        "community.windows.win_firewall_rule": {"action": "block"},
        "community.windows.win_scheduled_task": {"username": "LOCAL SERVICE"},
    }[module]
    assert ask(machine, module, **{**arguments, **differs})["changed"]


def test_a_download_is_unpacked_once(machine):
    unpack = {"src": ARCHIVE, "dest": r"C:\ProgramData\HAL\r1", "creates": r"C:\ProgramData\HAL\r1\done.txt"}
    with pytest.raises(Failure, match="does not exist"):
        ask(machine, "community.windows.win_unzip", **unpack)
    ask(machine, "ansible.windows.win_get_url", **FETCH)
    stat = ask(machine, "ansible.windows.win_stat", path=ARCHIVE, checksum_algorithm="sha256")["stat"]
    assert (stat["exists"], stat["isreg"], stat["checksum"]) == (True, True, "b" * 64)
    assert ask(machine, "community.windows.win_unzip", **unpack)["changed"]
    assert ask(machine, "community.windows.win_unzip", **unpack)["skipped"]
    found = ask(machine, "ansible.windows.win_find", paths=[r"C:\ProgramData\HAL\r1"], patterns=["*.TXT"])
    assert [file["path"] for file in found["files"]] == [r"C:\ProgramData\HAL\r1\done.txt"]


def test_commands_do_nothing_in_check_mode(machine):
    assert ask(machine, "ansible.windows.win_command", check=True, cmd="unknown")["skipped"]
    assert ask(machine, "ansible.windows.win_command", argv=["known"])["stdout_lines"] == ["done"]
    with pytest.raises(Failure, match=r"commands\.py: unknown"):
        ask(machine, "ansible.windows.win_command", cmd="unknown")


def test_commands_are_guarded_by_paths(machine):
    guarded = {"cmd": "known", "creates": r"C:\made"}
    assert ask(machine, "ansible.windows.win_command", **guarded)["changed"]
    assert ask(machine, "ansible.windows.win_command", **guarded)["skipped"]
    assert ask(machine, "ansible.windows.win_shell", _raw_params="known", removes=r"C:\none")["skipped"]


def test_a_script_runs_in_check_mode_only_if_it_says_so(machine):
    asked = []
    machine.interpreters.append(lambda machine, text: asked.append(text) or {"changed": False})
    result = ask(machine, "ansible.windows.win_powershell", check=True, script="Get-Date")
    assert result == {"changed": True, "msg": "skipped, running in check mode"}
    script = "[CmdletBinding(SupportsShouldProcess)]\nparam()\nGet-Date"
    assert not ask(machine, "ansible.windows.win_powershell", check=True, script=script)["changed"]
    assert asked == [script]


def test_a_service_must_be_there_and_may_start(machine):
    with pytest.raises(Failure, match="not installed"):
        ask(machine, "ansible.windows.win_service", name="HalGateway", state="restarted")
    assert not ask(machine, "ansible.windows.win_service_info", name="HalGateway")["exists"]
    ask(machine, "ansible.windows.win_service", **{**SERVICE, "state": "stopped", "start_mode": "disabled"})
    with pytest.raises(Failure, match="disabled"):
        ask(machine, "ansible.windows.win_service", name="HalGateway", state="started")
    ask(machine, "ansible.windows.win_service", name="HalGateway", start_mode="auto", state="restarted")
    info = ask(machine, "ansible.windows.win_service_info", name="halgateway")["services"]
    assert [service["state"] for service in info] == ["started"]


def test_a_host_whose_database_stopped_is_another_host():
    running = windows_server()
    stopped = without_qm(running.state)
    assert ask(stopped, "ansible.windows.win_service_info", name="QMSvc")["services"][0]["state"] == "stopped"
    assert ask(running, "ansible.windows.win_service_info", name="QMSvc")["services"][0]["state"] == "started"
