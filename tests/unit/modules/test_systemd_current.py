"""systemd_current against a stand-in for systemctl."""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import systemd_current

# `crash` in the state is what a started unit becomes. Times are real, as they are compared with files.
SYSTEMCTL = """#!{python}
import datetime, json, pathlib, sys
path = pathlib.Path({folder!r}, "state.json")
state = json.loads(path.read_text())
verb, names = sys.argv[1], sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else list(state["units"])
if verb == "show":
    shown = (state["units"][name].items() for name in names)
    print("\\n\\n".join("\\n".join(f"{{key}}={{value}}" for key, value in unit) for unit in shown))
    state["shows"] += 1
    path.write_text(json.dumps(state))
    sys.exit()
name, unit = names[0], state["units"][names[0]]
state["calls"].append(verb if verb == "daemon-reload" or name == "demo.service" else f"{{verb}} {{name}}")
now = datetime.datetime.now(datetime.UTC)
if verb in ("start", "restart", "reload"):
    unit["StateChangeTimestamp"] = now.strftime("Mon %Y-%m-%d %H:%M:%S.%f UTC")
if verb == "daemon-reload":
    for unit in state["units"].values():
        unit |= {{"NeedDaemonReload": "no"}} | ({{"LoadState": "loaded"}} if state["installed"] else {{}})
elif verb in ("enable", "disable"):
    unit["UnitFileState"] = verb + "d"
elif verb == "stop":
    unit["ActiveState"] = "inactive"
elif verb in ("start", "restart"):
    unit["ExecMainStartTimestamp"] = now.strftime("Mon %Y-%m-%d %H:%M:%S.%f UTC")
    unit |= {{"ActiveState": "active", "SubState": "running"}} | state["crash"]
path.write_text(json.dumps(state))
if verb in state["refuse"]:
    sys.exit(f"Job for {{name}} failed.\\nSee systemctl status.")
"""
UNIT = {
    "LoadState": "loaded",
    "ActiveState": "inactive",
    "SubState": "dead",
    "Result": "success",
    "UnitFileState": "disabled",
    "NeedDaemonReload": "no",
    "DropInPaths": "",
    "ExecMainStartTimestamp": "",
    "NRestarts": "0",
    "CanReload": "yes",
}

CRASH = {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}


class Host:
    """A host with one unit, `demo`, which reads `start` when it starts and `reload` when it is reloaded.

    A second one, `other.timer`, reads nothing.
    """

    def __init__(self, folder: Path, run_module: Callable[..., Any]) -> None:
        self.folder = folder
        self.run_module = run_module
        self.units = folder / "units"
        self.start, self.reload = folder / "start", folder / "reload"
        self.state_path = folder / "state.json"
        self.record = folder / "applied" / "demo.service.json"
        self.units.mkdir()
        (self.units / "demo.service").write_text("[Service]\n")
        self.start.write_text("a")
        self.reload.write_text("a")
        units = {
            "demo.service": UNIT | {"FragmentPath": str(self.units / "demo.service")},
            "other.timer": UNIT,
        }
        self.write({"units": units, "calls": [], "crash": {}, "refuse": [], "installed": True, "shows": 0})

    @property
    def state(self) -> Any:
        return json.loads(self.state_path.read_text())

    def write(self, state: Any) -> None:
        self.state_path.write_text(json.dumps(state))

    def set(self, **values: Any) -> None:
        self.write(self.state | values)

    def set_unit(self, name: str = "demo.service", **values: str) -> None:
        units = self.state["units"]
        self.set(units=units | {name: units[name] | values})

    def ensure(self, *, check: bool = False, **params: Any) -> Any:
        """Ask for the unit; return what was told of it, whether anything changed, and the difference."""
        files = {"restart_files": [str(self.start)], "reload_files": [str(self.reload)]}
        result = self.run_module("systemd_current", {"name": "demo", **files, **params}, check=check)
        return result["units"][0] | {"changed": result["changed"], "diff": result["diff"][0]}

    def ensure_both(self, *, check: bool = False) -> Any:
        """Ask for both units."""
        units = [{"name": "demo", "restart_files": [str(self.start)]}, {"name": "other.timer"}]
        return self.run_module("systemd_current", {"units": units}, check=check)

    def age(self, path: Path, seconds: float) -> None:
        """Let a file have been changed so long before now, as far as the module can see."""
        self.ages[str(path)] = time.time() - seconds

    ages: dict[str, float]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: Callable[..., Any]) -> Host:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL.format(python=sys.executable, folder=str(tmp_path)))
    (programs / "journalctl").write_text("#!/bin/sh\necho 'cannot open the database'\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(systemd_current, "RECORDS", tmp_path / "applied")
    monkeypatch.setattr(systemd_current, "UNIT_DIRECTORIES", [tmp_path / "units"])
    monkeypatch.setattr(systemd_current, "SETTLE_S", 0.0)
    host = Host(tmp_path, run_module)
    host.ages = {}
    original = systemd_current.changed_at
    monkeypatch.setattr(
        systemd_current, "changed_at", lambda path: host.ages.get(str(path)) or original(path)
    )
    return host


@pytest.fixture
def running(host: Host) -> Host:
    """The host with the unit running as configured, and recorded so."""
    host.ensure()
    host.set(calls=[])
    return host


def test_a_new_unit_is_enabled_and_started(host: Host) -> None:
    predicted = host.ensure(check=True)
    assert host.state["calls"] == []
    assert not host.record.exists()
    result = host.ensure()
    assert result["actions"] == predicted["actions"] == ["daemon-reload", "enable", "start"]
    assert (result["action"], result["changed"]) == ("start", True)
    assert host.ensure()["action"] == "none"


def test_what_did_not_change_is_left_alone(running: Host) -> None:
    os.utime(running.start)
    result = running.ensure()
    assert (result["changed"], result["actions"], running.state["calls"]) == (False, [], [])
    assert result["diff"]["before"] == result["diff"]["after"]


@pytest.mark.parametrize(("name", "action"), [("start", "restart"), ("reload", "reload")])
def test_a_changed_file_is_applied_once(running: Host, name: str, action: str) -> None:
    path = running.folder / name
    path.write_text("b")
    assert running.ensure(check=True)["action"] == action
    result = running.ensure()
    assert (result["action"], result["outdated"]) == (action, [str(path)])
    assert running.ensure()["action"] == "none"


@pytest.mark.parametrize(("name", "action"), [("start", "restart"), ("reload", "reload")])
def test_a_file_put_back_is_applied_again_if_others_let_the_unit_read_another(
    running: Host, name: str, action: str
) -> None:
    path = running.folder / name
    running.age(path, -1)  # written last
    assert running.ensure()["action"] == "none"
    moment = datetime.datetime.now(datetime.UTC).strftime("Mon %Y-%m-%d %H:%M:%S.%f UTC")
    running.set_unit(StateChangeTimestamp=moment)
    assert running.ensure(check=True)["action"] == action
    assert running.ensure()["outdated"] == [str(path)]
    assert running.ensure()["action"] == "none"


def test_a_unit_that_others_started_is_left_alone_if_its_files_are_older(running: Host) -> None:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
    running.set_unit(StateChangeTimestamp=moment.strftime("Mon %Y-%m-%d %H:%M:%S.%f UTC"))
    assert running.ensure()["action"] == "none"


def test_a_restart_covers_a_reload(running: Host) -> None:
    running.start.write_text("b")
    running.reload.write_text("b")
    assert running.ensure()["actions"] == ["restart"]
    assert running.ensure()["action"] == "none"


def test_a_unit_that_must_go_on_has_what_it_starts_with_from_its_next_start_on(running: Host) -> None:
    running.start.write_text("b")
    (running.units / "demo.service").write_text("[Service]\nNice=3\n")
    assert running.ensure(restart=False)["actions"] == ["daemon-reload"]
    assert running.ensure()["action"] == "none"
    running.start.write_text("c")
    running.reload.write_text("c")
    assert running.ensure(restart=False)["actions"] == ["reload"]
    running.set_unit(ActiveState="inactive", SubState="dead")
    assert running.ensure(restart=False)["actions"] == ["start"]


def test_a_unit_that_cannot_reload_is_restarted(running: Host) -> None:
    running.set_unit(CanReload="no")
    running.reload.write_text("b")
    assert running.ensure()["action"] == "restart"


@pytest.mark.parametrize("name", ["demo.service", "demo.service.d/limits.conf"])
def test_a_changed_unit_file_is_read_and_applied(running: Host, name: str) -> None:
    path = running.units / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("[Service]\nNice=3\n")
    assert running.ensure()["actions"] == ["daemon-reload", "restart"]
    path.unlink()
    assert running.ensure()["actions"] == ["daemon-reload", "restart"]
    assert running.ensure()["action"] == "none"


def test_what_systemd_wants_to_read_again_is_read(running: Host) -> None:
    running.set_unit(NeedDaemonReload="yes")
    assert running.ensure()["actions"] == ["daemon-reload"]


def test_without_a_record_older_files_count_as_applied(running: Host) -> None:
    running.record.unlink()
    for path in (running.start, running.reload, running.units / "demo.service"):
        running.age(path, seconds=3600)
    assert not running.ensure(check=True)["changed"]
    assert not running.ensure()["changed"]
    assert running.record.exists()


@pytest.mark.parametrize(("name", "action"), [("start", "restart"), ("reload", "reload")])
def test_without_a_record_newer_files_are_applied(running: Host, name: str, action: str) -> None:
    running.record.unlink()
    for path in (running.start, running.reload, running.units / "demo.service"):
        running.age(path, seconds=-3600 if path.name == name else 3600)
    assert running.ensure()["action"] == action
    assert running.ensure()["action"] == "none"


def test_a_missing_file_counts_when_it_comes(host: Host) -> None:
    host.start.unlink()
    host.ensure()
    assert host.ensure()["action"] == "none"
    host.start.write_text("a")
    assert host.ensure()["action"] == "restart"


def test_a_link_to_a_directory_counts_by_its_target(host: Host) -> None:
    for release in ("a", "b"):
        (host.folder / release).mkdir()
    host.start.unlink()
    host.start.symlink_to("a")
    host.ensure()
    (host.folder / "a" / "more").touch()
    assert host.ensure()["action"] == "none"
    host.start.unlink()
    host.start.symlink_to("b")
    assert host.ensure()["action"] == "restart"


def test_a_directory_counts_by_what_is_in_it(host: Host) -> None:
    host.start.unlink()
    (host.start / "deep").mkdir(parents=True)
    (host.start / "deep" / "file").write_text("a")
    host.ensure()
    assert host.ensure()["action"] == "none"
    (host.start / "deep" / "file").write_text("b")
    assert host.ensure()["action"] == "restart"


@pytest.mark.parametrize(
    "crash", [CRASH, {"ActiveState": "failed"}, {"ActiveState": "inactive"}, {"NRestarts": "1"}]
)
def test_a_unit_that_crashes_fails_with_its_journal(running: Host, crash: dict[str, str]) -> None:
    running.set(crash=crash)
    running.start.write_text("b")
    with pytest.raises(Exception, match="does not stay up") as failure:
        running.ensure()
    assert failure.value.result["journal"] == ["cannot open the database"]
    assert "cannot open the database" in failure.value.result["msg"]


def test_going_back_after_a_crash_is_applied(running: Host) -> None:
    """The crashed unit may run the bad file at this moment, although the record names the good one."""
    running.set(crash=CRASH)
    running.start.write_text("b")
    with pytest.raises(Exception, match="does not stay up"):
        running.ensure()
    running.set(crash={})
    running.set_unit(ActiveState="active", SubState="running")
    running.start.write_text("a")
    assert running.ensure()["action"] == "restart"
    assert running.ensure()["action"] == "none"


def test_a_unit_that_takes_too_long_is_named(running: Host) -> None:
    running.set(crash={"ActiveState": "activating", "SubState": "start"})
    running.start.write_text("b")
    with pytest.raises(Exception, match="still activating after 0 s"):
        running.ensure(timeout=0)  # 0 is no limit to a single step


def test_a_failed_reload_is_tried_again(running: Host) -> None:
    running.set(refuse=["reload"])
    running.reload.write_text("b")
    with pytest.raises(Exception, match=r"reload -- demo.service' failed: Job for demo.service failed"):
        running.ensure()
    running.set(refuse=[])
    assert running.ensure()["action"] == "reload"


def test_a_failed_unit_is_reset_first(host: Host) -> None:
    host.set_unit(ActiveState="failed", SubState="failed")
    host.ensure()
    assert host.state["calls"] == ["daemon-reload", "enable", "reset-failed", "start"]


def test_a_unit_waiting_for_its_restart_is_restarted(host: Host) -> None:
    host.set_unit(ActiveState="activating", SubState="auto-restart")
    host.ensure()
    assert host.state["calls"][-1] == "restart"


def test_stopped_and_disabled(running: Host) -> None:
    demand = {"state": "stopped", "enabled": False}
    assert running.ensure(**demand)["actions"] == ["disable", "stop"]
    assert running.ensure(**demand)["action"] == "none"


def test_a_unit_to_come_is_predicted_and_else_missed(host: Host) -> None:
    host.set_unit(LoadState="not-found", UnitFileState="")
    host.set(installed=False)
    predicted = host.ensure(check=True)
    assert (predicted["changed"], predicted["action"]) == (True, "start")
    with pytest.raises(Exception, match=r"There is no unit demo.service. Install it"):
        host.ensure()


def test_a_unit_just_installed_is_found(host: Host) -> None:
    host.set_unit(LoadState="not-found")
    assert host.ensure()["action"] == "start"


def test_a_masked_unit_is_named(host: Host) -> None:
    host.set_unit(LoadState="masked")
    host.set(installed=False)
    with pytest.raises(Exception, match=r"systemctl unmask demo\.service"):
        host.ensure()


def test_a_static_unit_is_not_enabled(running: Host) -> None:
    running.set_unit(UnitFileState="static")
    assert running.ensure()["action"] == "none"


def test_a_damaged_record_counts_as_none(running: Host) -> None:
    running.record.write_text("{")
    for path in (running.start, running.reload, running.units / "demo.service"):
        running.age(path, seconds=3600)
    assert running.ensure()["action"] == "none"
    assert json.loads(running.record.read_text())


def test_several_units_are_brought_up_in_one_call_and_looked_at_at_once(host: Host) -> None:
    predicted = host.ensure_both(check=True)
    assert (host.state["calls"], host.state["shows"]) == ([], 1)
    result = host.ensure_both()
    assert predicted["units"] == result["units"]
    assert [unit["name"] for unit in result["units"]] == ["demo.service", "other.timer"]
    assert [unit["action"] for unit in result["units"]] == ["start", "start"]
    assert host.state["calls"].count("daemon-reload") == 1
    assert [diff["after_header"] for diff in result["diff"]] == ["demo.service", "other.timer"]
    host.set(calls=[], shows=0)
    assert not host.ensure_both()["changed"]
    assert (host.state["calls"], host.state["shows"]) == ([], 1)


def test_of_several_units_only_the_outdated_one_is_acted_on(host: Host) -> None:
    host.ensure_both()
    host.set(calls=[])
    host.start.write_text("b")
    result = host.ensure_both()
    assert [unit["action"] for unit in result["units"]] == ["restart", "none"]
    assert host.state["calls"] == ["restart"]


def test_of_several_units_the_one_that_fails_is_named_with_its_journal(host: Host) -> None:
    host.ensure_both()
    host.set_unit("other.timer", ActiveState="inactive")
    host.set(refuse=["start"])
    with pytest.raises(Exception, match=r"'systemctl start -- other\.timer' failed") as failure:
        host.ensure_both()
    assert [unit["name"] for unit in failure.value.result["units"]] == ["demo.service"]
    assert failure.value.result["unit"] == "other.timer"
    assert failure.value.result["journal"] == ["cannot open the database"]


def test_no_units_are_no_work(host: Host) -> None:
    assert host.run_module("systemd_current", {"units": []})["changed"] is False


def test_a_unit_that_is_not_loaded_has_no_failures_to_reset(running: Host) -> None:
    """systemd forgets a unit that was linked to /dev/null by hand; then there is nothing to reset."""
    running.set_unit(ActiveState="inactive", StateChangeTimestamp="", ExecMainStartTimestamp="")
    running.set(refuse=["reset-failed"])
    assert running.ensure()["actions"] == ["start"]
    assert running.ensure()["action"] == "none"


def test_a_mask_that_is_no_longer_there_is_none(running: Host) -> None:
    running.set_unit(LoadState="masked", ActiveState="inactive", NeedDaemonReload="yes")
    assert running.ensure(check=True)["changed"]
    assert running.ensure()["actions"] == ["daemon-reload", "start"]
    assert running.state["calls"][0] == "daemon-reload"
    assert running.ensure()["action"] == "none"
