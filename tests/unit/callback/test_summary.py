"""What a person reads of a run: the table, the slowest tasks, causes and next steps, what still runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.artifacts.conftest import serve

from .conftest import Run, run_play

pytestmark = pytest.mark.slow

SECRET = "molecule-is-no-secret"
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}


def task(name: str, module: str, arguments: Any, **keywords: Any) -> dict[str, Any]:
    return {"name": name, f"ansible.builtin.{module}": arguments, **keywords}


def fail(message: Any) -> dict[str, Any]:
    return task("Check", "fail", {"msg": message})


# On the host of that name this fails, with this cause and this next step.
FAILURES = {
    "sentences": (
        task("Check", "assert", {"that": False, "fail_msg": "The disk of one is full. Add another."}),
        "The disk of one is full.",
        "Add another.",
    ),
    "list": (
        fail(["Two things are missing:", "an address", "a key"]),
        "Two things are missing:.",
        "an address\n          a key",
    ),
    "command": (
        task("Check", "command", "sh -c 'echo first >&2; echo last words >&2; exit 3'"),
        "ended with 3: first / last words.",
        "Run it by hand on command",
    ),
    "loop": (
        task("Check", "command", "sh -c 'exit {{ item }}'", loop=[0, 4, 5]),
        "4 and 1 more: `sh -c exit 4` ended with 4: it said nothing.",
        "Run it by hand on loop",
    ),
    "retries": (
        task("Check", "command", "false", retries=2, delay=0, until="false"),
        "(after 2 attempts).",
        "Run it by hand on retries",
    ),
    "variable": (
        task("Check", "debug", {"msg": "{{ household }}"}),
        "'household' is undefined.",
        "`ansible-inventory --host variable`",
    ),
    # What systemd, or its absence, says of it depends on the machine.
    "service": (
        task("Check", "systemd_service", {"name": "no-{{ 'such' }}-unit", "state": "started"}),
        "",
        "See why on service: `journalctl -u no-such-unit -n 50`.",
    ),
    "services": (
        task(
            "Check", "systemd_service", {"name": "no-{{ item }}", "state": "started"}, loop=["unit", "other"]
        ),
        "unit and 1 more: ",
        "`journalctl -u no-unit -n 50`",
    ),
    "address": (
        task("Check", "uri", {"url": "http://127.0.0.1:9/models"}),
        "Connection refused",
        "address reaches http://127.0.0.1:9/models",
    ),
    "file": (
        {"name": "Check", "managed_files": {"files": [{"path": "/nowhere/x", "content": ""}]}},
        "There is no directory /nowhere for x.",
        "List it before the file with `state: directory`, or install the package",
    ),
    "unhealthy": (
        {"name": "Check", "listener_health": {"host": "there", "address": "127.0.0.1", "port": 9}},
        "listener on there: connection refused: nothing listens on 127.0.0.1:9.",
        "On there: `systemctl status hal-engine`",
    ),
    "rescue": (
        {"block": [task("Break", "fail", {"msg": "the first"})], "rescue": [fail("The second. Mend it.")]},
        "The second.",
        "Mend it.",
    ),
    "away": (
        task("Check", "ping", {}),
        "ssh: connect to host 127.0.0.1 port 9: Connection refused.",
        "playbooks/recover.yml -e host=away",
    ),
    "hidden": (
        task("Check", "command", f"sh -c 'echo {SECRET}; echo {SECRET} >&2; exit 1'", no_log=True),
        "(no_log)",
        "Look on hidden at what the task does there.",
    ),
    "items": (
        task("Check", "command", "sh -c 'echo {{ item }}; exit 1'", no_log=True, loop=[SECRET]),
        "(no_log)",
        "Look on items at what the task does there.",
    ),
    "nowhere": (
        task("Check", "command", f"echo {SECRET}", no_log=True),
        "(no_log)",
        "recover.yml -e host=nowhere",
    ),
}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which every host fails in its own way."""
    return run_play(
        tmp_path_factory.mktemp("failing"),
        [failing | {"when": f"inventory_hostname == '{host}'"} for host, (failing, _, _) in FAILURES.items()],
        "-v",
        hosts={host: AWAY if host in ("away", "nowhere") else {} for host in FAILURES},
        interval=0.05,
    )


@pytest.mark.parametrize("host", FAILURES)
def test_a_failure_comes_with_its_cause_and_the_next_step(failing: Run, host: str) -> None:
    _, cause, step = FAILURES[host]
    failure = failing.failures[host]
    assert failure["task"] == "Check", failing.output
    assert cause in failure["cause"]
    assert step in failure["next"]


def test_a_failed_run_says_what_comes_next_and_shows_nothing_secret(failing: Run) -> None:
    assert "Then run it again: it goes on where it stopped." in failing.section("FAILURES")
    assert (failing.hosts["away"]["unreachable"], failing.hosts["away"]["failed"]) == (1, 0)
    assert failing.output.rstrip().endswith(f"{len(FAILURES)} failed.")
    assert failing.progress
    assert SECRET not in failing.output


def test_the_table_has_every_host_and_the_slowest_task_comes_first(play: Callable[..., Run]) -> None:
    run = play(
        [
            task("Work", "command", "sleep {{ seconds }}", changed_when="seconds == 3"),
            task(
                "Work a little", "command", "sleep 1", changed_when=False, when="inventory_hostname == 'two'"
            ),
            task("Hardly work", "debug", {"msg": "done"}),
            task("Fail", "fail", {"msg": "As asked."}, when="inventory_hostname == 'two'"),
        ],
        hosts={"one": {"seconds": 3}, "two": {"seconds": 0}, "three": {"seconds": 0}},
        strategy="ansible.builtin.linear",
    )
    rows = {host: (row["changed"], row["failed"]) for host, row in run.hosts.items()}
    assert rows == {"one": (1, 0), "two": (0, 1), "three": (0, 0)}, run.output
    assert run.output.rstrip().endswith("1 change; 1 failed.")
    assert run.code == 2
    slowest = run.section("SLOWEST TASKS").splitlines()
    assert "Work  (one and 2 more)" in slowest[0]
    assert any("Work a little  (two)" in line for line in slowest)
    assert int(run.hosts["one"]["time"].split()[0]) >= 3
    assert not run.progress  # what ends before a minute is over


def test_what_was_rescued_or_ignored_is_no_failure(play: Callable[..., Run]) -> None:
    run = play(
        [
            {"block": [fail("harmless")], "rescue": [task("Go on", "debug", {"msg": "mended"})]},
            fail("harmless") | {"ignore_errors": True},
        ],
        hosts={"here": {}, "away": AWAY},
        ignore_unreachable=True,
    )
    assert run.code == 0
    assert not run.section("FAILURES"), run.output
    assert run.output.rstrip().endswith("none failed.")


def test_what_still_runs_is_named_with_its_hosts_and_its_attempt(
    play: Callable[..., Run], tmp_path: Path
) -> None:
    attempt = task(
        "Wait for the model",
        "command",
        f"sh -c 'echo >> {tmp_path}/$0; test $(wc -l < {tmp_path}/$0) -ge 4' {{{{ inventory_hostname }}}}",
        register="tried",
        until="tried is succeeded",
        retries=10,
        delay=1,
    )
    run = play(
        [task("Install", "command", "sleep 2"), attempt],
        hosts={"one": {}, "two": {}},
        interval=0.5,
        slowest=1,
        strategy="ansible.builtin.linear",
    )
    assert any(": Install, " in line for line in run.progress), run.output
    assert any(" one, two: " in line or " two, one: " in line for line in run.progress), run.output
    assert any("Wait for the model" in line and "attempt " in line for line in run.progress)
    assert "FAILED - RETRYING" not in run.output
    assert run.section("SLOWEST TASKS").count(" and 1 more)") == 1
    assert run.code == 0


def test_a_download_in_an_included_role_tells_how_far_it_is(play: Callable[..., Run], tmp_path: Path) -> None:
    content = bytes(4_000_000)
    target, role = tmp_path / "big.tgz", tmp_path / "roles/fetch/tasks/main.yml"
    with serve() as web:
        web.files["/big.tgz"], web.pace = content, 1.0
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        file = {"path": target.name, "url": f"{web.url}/big.tgz", "checksum": checksum}
        fetch = {
            "name": "Keep the files",
            "cached_downloads": {"path": str(tmp_path), "files": [file], "report_after": 1},
            "register": "kept",
            "until": "kept.complete",
            "retries": 10,
            "delay": 0,
            "when": "inventory_hostname == 'one'",
        }
        role.parent.mkdir(parents=True)
        role.write_text(json.dumps([fetch]))
        run = play(
            [task("Fetch", "include_role", {"name": "fetch"})], hosts={"one": {}, "two": {}}, interval=0.5
        )
    lines = [line for line in run.progress if line.startswith("still running: one: fetch : Keep the files, ")]
    assert any(re.search(r", big\.tgz: [1-3]\.\d of 4\.0 MB$", line) for line in lines), run.output
    assert run.hosts["one"]["changed"] == 1
    assert target.read_bytes() == content


def test_a_check_says_that_nothing_was_changed(play: Callable[..., Run], tmp_path: Path) -> None:
    target = tmp_path / "file"
    run = play(
        [task("Write", "copy", {"content": "x", "dest": str(target), "mode": "0644"})],
        "--check",
        hosts={"one": {}},
    )
    assert "1 change foreseen, nothing was changed; none failed." in run.output
    assert not target.exists()
