"""booted: it waits for cloud-init, for a clock that is set, and for a host that restarts meanwhile."""

from __future__ import annotations

import importlib.util
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.task import Task
from tests.conftest import ROOT, load_module

NOW = 1_000_000.0
ENDED = {"cloud_init": "ended", "errors": [], "time": NOW}
RUNNING = ENDED | {"cloud_init": "running"}

type Look = Callable[[], dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look at a host whose /run/cloud-init is `tmp_path`; of its units those in `failed` have failed."""
    module = load_module("booted")
    monkeypatch.setattr(module, "STATE", tmp_path)
    failed = tmp_path / "failed"
    host = types.SimpleNamespace(run_command=lambda _: (0, failed.read_text() if failed.exists() else "", ""))
    return lambda: module.look(host)


def test_a_host_without_cloud_init_has_nothing_to_wait_for(look: Look) -> None:
    assert look() == {"cloud_init": "absent", "errors": []}


def test_cloud_init_runs_until_it_writes_its_result(look: Look, tmp_path: Path) -> None:
    (tmp_path / "enabled").touch()
    assert look() == {"cloud_init": "running", "errors": []}
    result = {"v1": {"datasource": "DataSourceNoCloud", "errors": ["('package_update_upgrade_install', …)"]}}
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert look() == {"cloud_init": "ended", "errors": ["('package_update_upgrade_install', …)"]}


def test_a_unit_of_it_that_failed_ends_it(look: Look, tmp_path: Path) -> None:
    (tmp_path / "enabled").touch()
    (tmp_path / "failed").write_text("cloud-init-network.service loaded failed failed Cloud-init\n")
    assert look() == {"cloud_init": "ended", "errors": ["cloud-init-network.service failed"]}


class Host:
    """A host that gives these answers, one after the other; a text is a connection that failed."""

    def __init__(self, plugin: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: Iterator[dict[str, Any] | str] = iter(())
        self.passed = 0.0
        self.resets = 0
        clock = types.SimpleNamespace(
            monotonic=lambda: self.passed, time=lambda: NOW + self.passed, sleep=self._sleep
        )
        self.warnings: list[str] = []
        monkeypatch.setattr(plugin, "time", clock)
        monkeypatch.setattr(plugin, "Display", lambda: types.SimpleNamespace(warning=self.warnings.append))
        monkeypatch.setattr(plugin.ActionModule, "_execute_module", self._answer)
        self._plugin = plugin

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds

    def _reset(self) -> None:
        self.resets += 1

    def _answer(self, **_: Any) -> dict[str, Any]:
        answer = next(self.answers)
        if isinstance(answer, str):
            raise AnsibleConnectionFailure(answer)
        return answer | ({"time": answer["time"] + self.passed} if "time" in answer else {})

    def wait(self, *answers: dict[str, Any] | str, **options: Any) -> dict[str, Any]:
        """Wait for a host that gives these answers, the last one for ever."""
        self.answers = (answers[min(number, len(answers) - 1)] for number in range(10_000))
        task = Task.load({"booted": options})
        action = self._plugin.ActionModule(
            task,
            types.SimpleNamespace(reset=self._reset, _shell=types.SimpleNamespace(tmpdir="/tmp")),
            types.SimpleNamespace(),
            None,
            None,
            None,
        )
        return action.run(task_vars={})


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    spec = importlib.util.spec_from_file_location("booted_action", ROOT / "action_plugins/booted.py")
    assert spec is not None and spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    return Host(plugin, monkeypatch)


def test_it_looks_until_cloud_init_has_ended(host: Host) -> None:
    assert host.wait(RUNNING, RUNNING, ENDED)["cloud_init"] == "ended"
    assert host.passed == 2


def test_a_host_that_restarts_is_waited_for(host: Host) -> None:
    assert (
        host.wait(RUNNING, "Connection reset", "Connection refused", RUNNING, ENDED)["cloud_init"] == "ended"
    )
    assert host.resets == 2


def test_a_host_that_lets_nobody_in_yet_is_waited_for(host: Host) -> None:
    said = "System is booting up. Unprivileged users are not permitted to log in yet. […] see pam_nologin(8)."
    assert host.wait(said, RUNNING, ENDED)["cloud_init"] == "ended"


def test_a_host_that_never_answered_is_unreachable_at_once(host: Host) -> None:
    with pytest.raises(AnsibleConnectionFailure, match="No route"):
        host.wait("No route to host")


@pytest.mark.parametrize("wrong", [-3600, 3600])
def test_a_clock_that_is_not_set_yet_is_waited_for(host: Host, wrong: int) -> None:
    assert host.wait(ENDED | {"time": NOW + wrong}, ENDED)["time"] > 0
    assert host.passed == 1
    assert host.wait(ENDED | {"time": NOW + wrong}, clock_tolerance=3601)["time"] > 0
    assert host.passed == 1


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (RUNNING, "cloud-init still runs"),
        (ENDED | {"time": NOW - 3600}, "its clock is 3600 s behind the controller's"),
        ("Connection refused", "it restarts and does not answer: Connection refused"),
    ],
)
def test_what_does_not_come_about_in_time_is_said(host: Host, last: Any, said: str) -> None:
    result = host.wait(RUNNING, last, timeout=60)
    assert result["failed"] and "within 60 s" in result["msg"] and said in result["msg"]
    assert 60 <= host.passed <= 62


def test_what_cloud_init_failed_at_is_a_warning(host: Host) -> None:
    assert not host.wait(ENDED | {"errors": ["no mirror"]}).get("failed")
    assert host.warnings == ["cloud-init failed at something: no mirror"]


def test_a_module_that_fails_is_a_failure(host: Host) -> None:
    assert host.wait({"failed": True, "msg": "no python"}) == {"failed": True, "msg": "no python"}
