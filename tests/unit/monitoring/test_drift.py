"""The drift check: what the callback writes of a real run, and what is told of it."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hal.network import drift

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PLAY = [
    {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Write the files",
                "ansible.builtin.copy": {"content": "x", "dest": "{{ where }}/{{ item }}", "mode": "0644"},
                "loop": ["a", "b"],
            },
            {
                "name": "Write a secret",
                "ansible.builtin.copy": {"content": "hidden", "dest": "{{ where }}/c", "mode": "0600"},
                "no_log": True,
            },
            {
                "name": "Break",
                "ansible.builtin.fail": {"msg": "as asked"},
                "when": "inventory_hostname == broken",
            },
        ],
    }
]


def run(folder: Path, *, broken: str = "") -> dict[str, Any]:
    """Run the play as a check on two hosts; return the report."""
    (folder / "play.yml").write_text(yaml.safe_dump(PLAY))
    report = folder / "reports/drift.json"
    variables = json.dumps({"where": str(folder), "broken": broken})
    subprocess.run(
        ["ansible-playbook", "-i", "one,two,", "--check", "play.yml", "-e", variables],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "drift",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "HAL_DRIFT_REPORT": str(report),
        },
        capture_output=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    content: dict[str, Any] = json.loads(report.read_text())
    return content


def test_hosts_as_described_have_no_changes(tmp_path: Path) -> None:
    for name, content, mode in (("a", "x", 0o644), ("b", "x", 0o644), ("c", "hidden", 0o600)):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    report = run(tmp_path)
    assert (report["ok"], report["changes"], report["hosts"]) == (True, 0, {"one": [], "two": []})
    assert drift.drift_table(report) == ["Every host is as described."]


def test_a_change_is_told_with_host_task_and_item_and_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o644)
    report = run(tmp_path)
    assert (report["ok"], report["changes"]) == (True, 4)
    changes = report["hosts"]["one"]
    assert [(change["task"], change["items"]) for change in changes] == [
        ("Write the files", ["b"]),
        ("Write a secret", []),
    ]
    assert changes[0]["where"].partition(":")[0] == str(tmp_path / "play.yml")
    assert "hidden" not in json.dumps(report)
    assert any(line.startswith("two: Write the files (b)  [") for line in drift.drift_table(report))


def test_a_run_that_did_not_reach_its_end_says_why(tmp_path: Path) -> None:
    report = run(tmp_path, broken="two")
    assert not report["ok"]
    assert report["failures"] == [{"host": "two", "task": "Break", "message": "as asked"}]
    assert "FAILED on two: Break: as asked" in drift.drift_table(report)


def test_the_metrics_tell_each_host_and_the_run() -> None:
    report = {"timestamp": 1000, "ok": True, "hosts": {"nas": [], "qm1": [{}, {}]}}
    assert drift.drift_metrics(report, 2000).splitlines() == [
        "hal_drift_last_run_timestamp_seconds 1000",
        "hal_drift_ok 1",
        'hal_drift_changes{target="nas"} 0',
        'hal_drift_changes{target="qm1"} 2',
    ]


def test_a_check_that_did_not_begin_is_no_good_news() -> None:
    assert drift.drift_metrics({}, 2000).splitlines() == [
        "hal_drift_last_run_timestamp_seconds 2000",
        "hal_drift_ok 0",
    ]
    assert "did not begin" in drift.drift_table({})[0]


def schedule(home: Path, *extra: str) -> None:
    """Write the files of the schedule below a home of the test, starting nothing."""
    command = [
        "ansible-playbook",
        "playbooks/drift_schedule.yml",
        "-e",
        "drift_start=false",
        "-e",
        f"drift_home={home}",
    ]
    done = subprocess.run(
        [*command, *extra],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_PYTHON_INTERPRETER": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_accepts_the_timer(tmp_path: Path) -> None:
    schedule(tmp_path, "-e", "drift_mac=false", "-e", "drift_at=05:15")
    units = sorted((tmp_path / ".config/systemd/user").iterdir())
    assert [unit.name for unit in units] == ["hal-drift.service", "hal-drift.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *map(str, units)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        ["systemd-analyze", "calendar", "*-*-* 05:15:00"], capture_output=True, text=True, check=True
    )
    assert "OnCalendar=*-*-* 05:15:00" in units[1].read_text() and "05:15:00" in said.stdout


def test_launchd_is_given_the_same(tmp_path: Path) -> None:
    schedule(tmp_path, "-e", '{"drift_mac": true, "drift_at": "05:15"}')
    agent = plistlib.loads((tmp_path / "Library/LaunchAgents/network.hal.drift.plist").read_bytes())
    assert agent["StartCalendarInterval"] == {"Hour": 5, "Minute": 15}
    program, inventory, playbook = agent["ProgramArguments"]
    assert program.endswith("/ansible-playbook") and inventory.startswith("--inventory=")
    assert (Path(agent["WorkingDirectory"]) / playbook).exists()


def test_the_schedule_can_be_taken_away(tmp_path: Path) -> None:
    schedule(tmp_path, "-e", "drift_mac=false")
    schedule(tmp_path, "-e", "drift_mac=false", "-e", "drift_state=absent")
    assert list((tmp_path / ".config/systemd/user").iterdir()) == []
