"""debian_packages: dpkg is asked first, and apt only for what is missing."""

from __future__ import annotations

import fcntl
import importlib.util
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PLUGIN = Path(__file__).parents[3] / "action_plugins" / "debian_packages.py"


@pytest.fixture
def plugin():
    """Return the module of the action."""
    spec = importlib.util.spec_from_file_location("debian_packages_action", PLUGIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def packages(monkeypatch, plugin):
    """Run the action on a host whose dpkg says `states`; return its result and what apt was called with."""

    def run(arguments, states, *, check=False, says: tuple[str, ...] = (), holder=""):
        action = object.__new__(plugin.ActionModule)
        action._task = SimpleNamespace(args=arguments, check_mode=check, environment=None)
        calls: list[dict[str, Any]] = []
        commands: list[str] = []
        failures = list(says)

        def call(name, module_args, task_vars):
            calls.append({"module": name, "environment": action._task.environment, **module_args})
            return {"failed": True, "msg": failures.pop(0)} if failures else {"changed": True}

        monkeypatch.setattr(plugin.ActionBase, "run", lambda *_: {})
        action._execute_module = call
        action._low_level_execute_command = lambda command: (
            commands.append(command)
            or {"stdout_lines": states.splitlines(), "stdout": holder if "lock" in command else states}
        )
        action._display = SimpleNamespace(display=print)
        action._templar = None
        return action.run(task_vars={}), calls, commands

    return run


def test_apt_is_not_called_for_what_is_installed(packages):
    result, calls, commands = packages({"name": ["restic", "nginx-light"]}, "ii  nginx-light\nii  restic\n")
    assert (result["changed"], calls) == (False, [])
    assert commands[0].endswith("-- restic nginx-light 2>/dev/null")


@pytest.mark.parametrize(
    "states",
    [
        pytest.param("ii  restic\n", id="one is not known"),
        pytest.param("ii  restic\nrc  ufw\n", id="one was removed, its settings left"),
        pytest.param("ii  restic\niF  ufw\n", id="one is half configured"),
        pytest.param("ii  restic\nun  ufw\n", id="one is known and not installed"),
    ],
)
def test_apt_is_called_for_all_where_one_is_not_wholly_there(packages, states):
    result, (call,), _ = packages({"name": ["restic", "ufw"]}, states)
    assert result["changed"]
    assert call["module"] == "ansible.builtin.apt"
    assert (call["name"], call["state"], call["install_recommends"]) == (["restic", "ufw"], "present", False)
    assert call["lock_timeout"] >= 600 and call["update_cache"]


def test_a_check_reads_no_lists_of_packages(packages):
    _, (call,), _ = packages({"name": ["ufw"]}, "", check=True)
    assert "update_cache" not in call


@pytest.mark.parametrize(
    ("states", "called"), [("ii  ufw\n", 1), ("rc  ufw\n", 1), ("un  ufw\n", 0), ("", 0)]
)
def test_apt_removes_what_is_there_with_its_settings(packages, states, called):
    result, calls, _ = packages({"name": ["ufw"], "state": "absent"}, states)
    assert (len(calls), result["changed"]) == (called, bool(called))
    assert all(call["purge"] and call["state"] == "absent" for call in calls)


def test_services_are_not_restarted_by_needrestart(packages):
    _, (call,), _ = packages({"name": ["ufw"]}, "")
    assert call["environment"] == [{"NEEDRESTART_SUSPEND": "1"}]


@pytest.mark.parametrize(
    "says",
    [
        pytest.param("No package matching 'ufw' is available", id="lists that a new image does not have"),
        pytest.param("E: Failed to fetch URL  404  Not Found", id="an archive has moved on"),
    ],
)
def test_lists_that_are_young_and_of_no_use_are_read_again(packages, says):
    result, (first, second), _ = packages({"name": ["ufw"]}, "", says=(says,))
    assert result == {"changed": True}
    assert first["cache_valid_time"] > 0 == second["cache_valid_time"]


def test_a_package_that_is_not_there_with_new_lists_either_is_a_failure(packages):
    says = ("No package matching 'wfu' is available",) * 2
    result, calls, _ = packages({"name": ["wfu"]}, "", says=says)
    assert (result["failed"], len(calls)) == (True, 2)


def test_what_new_lists_cannot_mend_fails_at_once(packages):
    result, calls, _ = packages({"name": ["ufw"]}, "", says=("dpkg was interrupted",))
    assert (result["failed"], len(calls)) == (True, 1)


def test_it_is_told_what_is_waited_for(packages, capsys):
    packages({"name": ["ufw"]}, "", holder="/usr/bin/python3 /usr/bin/unattended-upgrade ")
    said = capsys.readouterr().out
    assert (
        "apt is in use by `/usr/bin/python3 /usr/bin/unattended-upgrade`; waiting for it, 30 min at most"
        in said
    )


def test_nothing_is_told_where_apt_is_free(packages, capsys):
    packages({"name": ["ufw"]}, "")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("held", [True, False])
def test_the_holder_of_a_lock_is_found_by_its_file(tmp_path, plugin, held):
    lock = tmp_path / "lock-frontend"
    question = plugin.LOCK_HOLDER.replace("/var/lib/dpkg/lock-frontend", str(lock))
    with lock.open("w") as file:
        if held:
            fcntl.lockf(file, fcntl.LOCK_EX)
        said = subprocess.run(["sh", "-c", question], capture_output=True, text=True, check=True).stdout
    own = Path("/proc/self/cmdline").read_text().replace("\0", " ")
    assert said == (own if held else "")
