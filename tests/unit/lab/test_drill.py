"""What a drill makes of what it sees: turns, phases, contents, limits."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import drill_report, recovery, traffic
from lab.contents import Contents
from lab.description import Description
from lab.drill_report import Report
from lab.house import controller_files
from lab.machine import LabError
from lab.recovery import CONFIGURED, PROVISIONED, RESTORED, VERIFIED, Recovery, phase_of, step_of
from lab.traffic import Turn, answered, judge
from tests.unit.client.conftest import FakeGateway, answer_all
from websockets.asyncio.server import serve

from hal.network.recovery_kit import Record

ROOT = Path(__file__).parents[3]
LOST_AT = 100.0


def turn(
    asked: float, ended: float, *, ok: bool = True, stream: str = "records direct", **fields: Any
) -> Turn:
    known = {
        "kind": "records",
        "session": "s1",
        "question": f"q{asked:g}",
        "said": "" if ok else "no",
    } | fields
    return Turn(stream=stream, asked=asked, ended=ended, ok=ok, **known)


def recorded(*turns: Turn) -> list[tuple[str, str, float]]:
    return [(each.session, each.question, each.ended) for each in turns]


def test_turns_count_as_failed_from_the_loss_on_by_stream():
    before = turn(90, 91, ok=False)
    turns = [
        before,
        turn(99, 101, ok=False),
        turn(110, 111),
        turn(112, 113, stream="spoken proxy", kind="spoken"),
        turn(114, 115, ok=False),
        turn(116, 117.25),
        turn(118, 119),
    ]
    seen = judge(turns, LOST_AT, None)
    assert (seen.asked, seen.failed, seen.failed_since, seen.lost) == (6, 2, 1, None)
    assert seen.failed_by_stream == {"records direct": 2, "spoken proxy": 0}
    assert seen.back == {"records direct": 17.2, "spoken proxy": 0.0}
    assert seen.said == {"records direct": ["no"], "spoken proxy": []}


def test_a_stream_that_never_came_back_has_no_time_of_return():
    assert judge([turn(90, 91), turn(101, 102, ok=False)], LOST_AT, None).back == {}


def test_the_house_has_a_limit_of_its_own_and_tells_the_turns_before_and_after():
    house = Report("house", rto_limit_s=drill_report.HOUSE_RTO_LIMIT_S, turns_before=31, turns_after=5)
    house.rto_s, house.digests_equal = drill_report.RTO_LIMIT_S, True
    house.judge()
    assert house.ok
    assert "turns answered before          31" in house.table() and "meanwhile" not in house.table()
    house.rto_s = house.rto_limit_s
    house.judge()
    assert house.faults == ["Recovery took 1800 s; less than 1800 s is demanded."]


def test_only_what_git_has_not_and_only_in_the_checkout_is_lost_with_the_controller(tmp_path):
    held = [
        "project/.lab/id_ed25519",
        "project/Makefile",
        "home/.config/hal/vault-password",
        "root/etc/hal/key",
    ]
    Record("hal.kit", "2026-11-29T00:00:00+00:00", dict.fromkeys(held, "")).write(tmp_path)
    assert controller_files(tmp_path) == [ROOT / ".lab/id_ed25519"]
    with pytest.raises(LabError, match="does not say what the recovery kit holds"):
        controller_files(tmp_path / "elsewhere")


def test_a_turn_is_lost_when_it_was_answered_and_is_not_in_the_log():
    kept, gone = turn(80, 81), turn(98, 99)
    unanswered = turn(99, 101, ok=False)
    by_a_machine_without_its_data = turn(130, 131)
    turns = [kept, gone, unanswered, by_a_machine_without_its_data]
    assert judge(turns, LOST_AT, recorded(kept)).lost == [gone, by_a_machine_without_its_data]
    assert judge(turns, LOST_AT, recorded(kept, gone, by_a_machine_without_its_data)).lost == []


def test_a_typed_turn_is_told_by_its_text_and_a_spoken_one_by_its_session():
    typed = turn(80, 81)
    spoken = turn(82, 83, kind="spoken", session="s2", question="")
    log = [("s1", "another question", 81.0), ("s2", "what was heard", 83.0)]
    assert judge([typed, spoken], LOST_AT, log).lost == [typed]
    assert judge([typed, spoken], LOST_AT, [*log, *recorded(typed)]).lost == []


def test_the_first_answer_to_a_question_asked_since_counts():
    turns = [turn(99, 105), turn(101, 102, ok=False), turn(103, 104), turn(105, 106)]
    assert answered(turns, 100) == {"records direct": 104}


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        ("/p/roles/proxmox_vm/tasks/provision.yml:3", PROVISIONED),
        ("/p/playbooks/provision.yml:9", PROVISIONED),
        ("/p/roles/base/tasks/main.yml:1", CONFIGURED),
        ("/p/playbooks/configure.yml:40", CONFIGURED),
        ("/p/roles/backup/tasks/service.yml:1", CONFIGURED),
        ("/p/roles/backup/tasks/restore.yml:7", RESTORED),
        ("/p/playbooks/restore.yml:30", RESTORED),
        ("/p/playbooks/verify.yml:20", VERIFIED),
    ],
)
def test_a_task_belongs_to_the_phase_of_its_file(path, phase):
    assert phase_of(path) == phase


@pytest.mark.parametrize(
    ("path", "name", "step"),
    [
        ("/p/roles/proxmox_vm/tasks/provision.yml:3", "Create or update the machine", "provisioning"),
        (
            "/p/roles/proxmox_vm/tasks/provision.yml:9",
            "Wait until the machine answers SSH",
            "waiting for SSH",
        ),
        ("/p/roles/base/tasks/install.yml:1", "Install the packages every host has", "base"),
        ("/p/roles/backup/tasks/restore.yml:7", "Restore the data that the host lacks", "restore"),
        ("/p/playbooks/verify.yml:20", "Run the checks", "verify"),
        ("/p/playbooks/validate.yml:4", "Fail if the inventory has faults", "preparation"),
    ],
)
def test_the_seconds_of_a_task_are_those_of_its_role_or_phase(path, name, step):
    assert step_of(path, name) == step


def test_the_table_says_where_the_seconds_went_the_longest_first():
    report = Report("qm1", spent={"base": 4.0, "verify": 12.5})
    lines = [" ".join(line.split()) for line in report.table().splitlines()]
    assert lines[lines.index("where the seconds went:") + 1 :][:2] == ["verify 12.5 s", "base 4.0 s"]


def event(name: str, host: str, path: str, **result: Any) -> str:
    return json.dumps(
        {"_event": name, "task": {"name": f"task of {path}", "path": path}, "hosts": {host: result}}
    )


@pytest.fixture
def playbook(tmp_path, monkeypatch):
    """Let Recovery run a program that prints these lines and ends with a code."""

    def prepare(lines: list[str], code: int) -> Recovery:
        output = tmp_path / "output"
        output.write_text("\n".join(lines) + "\n")
        program = tmp_path / "ansible-playbook"
        program.write_text(f"#!/bin/sh\ncat {output}\necho oh >&2\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setattr(recovery, "ANSIBLE_PLAYBOOK", program)
        return Recovery("qm1", tmp_path / "reports/drill.log")

    return prepare


def test_the_phases_are_those_of_the_lost_host(playbook):
    run = playbook(
        [
            event("v2_runner_on_ok", "qm1", "/p/roles/proxmox_vm/tasks/main.yml:1"),
            "[WARNING]: not an event",
            json.dumps({"_event": "v2_playbook_on_stats", "stats": {}}),
            event("v2_runner_on_ok", "nas", "/p/roles/backup/tasks/restore.yml:1"),
            event("v2_runner_on_skipped", "qm1", "/p/roles/backup/tasks/restore.yml:1"),
            event("v2_runner_on_ok", "qm1", "/p/roles/base/tasks/main.yml:1"),
        ],
        0,
    )
    ended = run.run("site.yml")
    assert run.code == 0 and run.failures == []
    assert run.ended.keys() == {PROVISIONED, CONFIGURED}
    assert run.ended[PROVISIONED] <= run.ended[CONFIGURED] <= ended
    assert run.spent.keys() == {"provisioning", "restore", "base"}
    assert 0 < sum(run.spent.values()) <= ended - run.began
    assert "not an event" in run.log.read_text() and "oh" in run.log.read_text()


def test_a_failed_task_is_told_with_its_host(playbook):
    run = playbook([event("v2_runner_on_failed", "nas", "/p/roles/x/tasks/main.yml:1", msg="no space")], 2)
    run.run("site.yml")
    assert run.code == 2
    assert run.failures == ["nas: task of /p/roles/x/tasks/main.yml:1: no space"]


def good_report() -> Report:
    return Report("qm1", rto_s=100.0, rpo_s=12.0, turns_lost=3, digests_equal=True)


def test_a_drill_within_its_limits_is_good(tmp_path):
    report = good_report()
    report.judge()
    assert report.ok
    written = json.loads(report.write(tmp_path).read_text())
    assert written["ok"] is True and written["host"] == "qm1" and written["rto_s"] == 100.0
    assert (tmp_path / "drill-qm1.json").exists()


def test_without_a_twin_turns_may_fail_until_the_host_is_back():
    report = good_report()
    report.turns_failed_since = 40
    report.judge()
    assert report.ok


@pytest.mark.parametrize(
    ("missed", "sentence"),
    [
        ({"rto_s": drill_report.RTO_LIMIT_S}, "Recovery took 180 s; less than 180 s is demanded."),
        ({"rto_s": 240.0}, "Recovery took 240 s; less than 180 s is demanded."),
        ({"rto_s": None}, "qm1 did not become healthy again."),
        ({"rpo_s": 61.0}, "Data of 61 s was lost; at most 60 s may be."),
        (
            {"turns_lost_since": 2},
            "2 turns that were answered after the loss are not in the conversation log: qm1 answered before"
            " its data was back.",
        ),
        (
            {"clock_off_s": 11.0},
            "The conversation log's clock differs from the clients' by 11 s: how much data was lost cannot be"
            " told.",
        ),
        (
            {"has_twin": True, "turns_failed_since": 2},
            "2 turns that were not in flight failed, and qm1 has a twin.",
        ),
        ({"digests_equal": False}, "What qm1 holds now is not what it held before its loss."),
    ],
)
def test_each_limit_that_is_missed_is_named(missed, sentence):
    report = good_report()
    for name, value in missed.items():
        setattr(report, name, value)
    report.judge()
    assert not report.ok and report.faults == [sentence]
    assert f"FAULT: {sentence}" in report.table()


RESTORED_WELL = {
    "item": "engine", "snapshot": "1a2b3c4d5e", "taken_at": "2026-11-23T18:00:00+00:00", "files": 1,
    "rows": {"conversation": 2000, "medication": 327}, "digest_equal": True, "replaced": False,
}  # fmt: skip


def compared(before: list, after: list, turns: list[Turn], lost_at: float = 10_000.0) -> Report:
    """Return the report of a drill, good but for what these logs and turns say."""
    report = Report("qm1", rto_s=100.0, restored={"engine": RESTORED_WELL})
    records = {"medication": "digest"}
    report.compare(Contents(records, before), Contents(records, after), judge(turns, lost_at, after), lost_at)
    report.judge()
    return report


OLD_ROWS = [("s0", f"old {number}", 100.0 + number) for number in range(2000)]


def test_a_log_that_lacks_only_its_last_seconds_is_a_good_drill():
    turns = [turn(at, at + 0.5) for at in range(9950, 10_000)]
    before = [*OLD_ROWS, *recorded(*turns)]
    report = compared(before, before[:-10], turns)
    assert report.ok, report.faults
    assert (report.rpo_s, report.rows_lost, report.turns_lost) == (9.5, 10, 10)


@pytest.mark.parametrize(
    ("gone", "seconds"),
    [(slice(0, 2000), 9900), (slice(0, -1), 9900), (slice(1000, 1001), 8900), (slice(None), 9900)],
    ids=["all that is old", "all but the newest", "one row", "all"],
)
def test_every_old_row_of_the_log_must_be_there(gone, seconds):
    turns = [turn(at, at + 0.5) for at in range(9950, 10_000)]
    before = [*OLD_ROWS, *recorded(*turns)]
    after = list(before)
    del after[gone]
    report = compared(before, after, turns)
    assert report.rpo_s == seconds
    assert f"Data of {seconds} s was lost; at most 60 s may be." in report.faults


def test_of_two_rows_that_are_alike_both_must_be_there():
    twice = [("s0", "again", 100.0)] * 2
    assert compared([*OLD_ROWS, *twice], [*OLD_ROWS, twice[0]], []).rows_lost == 1


def test_an_older_snapshot_is_a_fault_although_every_digest_is_equal():
    turns = [turn(at, at + 0.5) for at in range(9800, 10_000)]
    report = compared(OLD_ROWS + recorded(*turns), OLD_ROWS, turns)
    assert report.digests_equal and report.faults == ["Data of 200 s was lost; at most 60 s may be."]


def test_an_answer_that_came_after_the_log_was_read_and_before_the_loss_counts_as_lost():
    answered_late = turn(9900, 9901)
    report = compared(OLD_ROWS, OLD_ROWS, [answered_late])
    assert (report.rpo_s, report.rows_lost, report.turns_lost) == (99, 0, 1) and not report.ok


def test_records_that_differ_are_a_fault():
    report = good_report()
    report.compare(Contents({"a": "1"}, None), Contents({"a": "2"}, None), judge([], LOST_AT, None), LOST_AT)
    report.judge()
    assert report.faults == ["What qm1 holds now is not what it held before its loss."]
    assert (report.rpo_s, report.rows_lost, report.turns_lost) == (0.0, None, 3)


def test_a_service_that_answered_before_its_data_was_back_is_a_fault():
    early = turn(10_020, 10_021)
    report = compared(OLD_ROWS, OLD_ROWS, [early])
    assert report.turns_lost_since == 1 and report.rpo_s == 0.0
    assert "qm1 answered before its data was back." in report.faults[0]


def test_a_clock_that_stands_still_cannot_tell_what_was_lost():
    turns = [turn(at, at + 0.5) for at in range(9900, 10_000)]
    frozen = [(each.session, each.question, 9999.0) for each in turns]
    old = [("s0", f"old {number}", 9999.0) for number in range(2000)]
    report = compared(old + frozen, frozen, turns)
    assert report.rpo_s == 1.0 and "conversation log's clock differs" in " ".join(report.faults)


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        (None, "it was not restored."),
        ({"item": "engine", "started_empty_at": "2026-11-23T18:00:00+00:00"}, "it started empty."),
        (RESTORED_WELL | {"digest_equal": False}, "what was restored was not found to be what"),
        (
            {key: RESTORED_WELL[key] for key in RESTORED_WELL.keys() - {"digest_equal"}},
            "was not found to be what",
        ),
        (RESTORED_WELL | {"replaced": True}, "it was restored over data that the host had."),
    ],
    ids=["not restored", "empty", "differs", "not compared", "had data"],
)
def test_how_a_lost_host_got_its_data_is_judged(how, fault):
    report = good_report()
    report.restored = {"engine": how}
    report.judge()
    assert len(report.faults) == 1 and fault in report.faults[0]


def test_the_table_says_from_what_the_data_was_restored():
    report = good_report()
    report.restored = {"engine": RESTORED_WELL, "accounts": {"item": "accounts", "started_empty_at": "2026"}}
    assert "engine: restored from 1a2b3c4d of 2026-11-23T18:00:00+00:00, 2327 rows" in report.table()
    assert "accounts: started empty, as declared" in report.table()


def test_the_table_shows_what_was_measured_and_what_clients_saw():
    report = good_report()
    report.failed = {"records direct": 0, "spoken proxy": 2}
    report.back_s = {"records direct": 0.0, "spoken proxy": 31.5}
    report.said = {"spoken proxy": ["Speech is not available."]}
    rows = {" ".join(line.split()) for line in report.table().splitlines()}
    assert {
        "digests equal yes",
        "healthy after (RTO) 100.0 s",
        "data lost (RPO) 12.0 s",
        "turns lost 3",
        "restored - s",
    } <= rows
    assert "records direct answered throughout" in rows
    assert "spoken proxy 2 failed, answered again after 31.5 s" in rows
    assert "“Speech is not available.”" in rows


@pytest.mark.parametrize(("host", "origin", "services"), [
    ("qm1", "mac", {"gateway"}),
    ("ubuai", "mac", {"speech", "ollama"}),
    ("haproxy", "mac", {"proxy_gateway", "proxy_http"}),
])  # fmt: skip
def test_a_host_is_watched_from_one_that_uses_it(host, origin, services):
    seen_from, checks = Description().monitor(host)
    assert seen_from == origin
    assert {check["name"] for check in checks} >= services
    assert {check["host"] for check in checks} == {host}
    assert all(check["question"] for check in checks if check["kind"] == "gateway")


def contents(**order: Any) -> dict[str, Any]:
    program = ROOT / "lab/on_hosts/contents.py"
    done = subprocess.run(
        [sys.executable, program], input=json.dumps(order), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def database(path: Path, names: list[str], said: list[str]) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE medication (name TEXT)")
        connection.execute("CREATE TABLE conversation (session TEXT, question TEXT, at TEXT)")
        connection.executemany("INSERT INTO medication VALUES (?)", [(name,) for name in names])
        rows = [("s", question, "2026-01-01T00:00:00+00:00") for question in said]
        connection.executemany("INSERT INTO conversation VALUES (?, ?, ?)", rows)


def test_a_database_is_told_by_its_rows_without_the_log(tmp_path):
    described = {"before": (["a", "b"], ["q"]), "after": (["b", "a"], ["q", "r"]), "other": (["a", "c"], [])}
    seen = {}
    for name, (names, said) in described.items():
        database(tmp_path / name, names, said)
        seen[name] = contents(database=str(tmp_path / name), log="conversation")
    assert seen["before"]["digests"] == seen["after"]["digests"] != seen["other"]["digests"]
    assert [question for _, question, _ in seen["after"]["log"]] == ["q", "r"]


def test_a_directory_is_told_by_its_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/model.bin").write_bytes(b"1")
    before = contents(trees=[str(tmp_path)])["digests"]
    (tmp_path / "deep/model.bin").write_bytes(b"2")
    after = contents(trees=[str(tmp_path)])["digests"]
    assert before.keys() == after.keys() == {str(tmp_path / "deep/model.bin")}
    assert before != after


async def test_clients_ask_on_in_a_new_session_when_the_old_one_broke():
    gateway = FakeGateway()

    async def handler(socket):
        gateway.connections += 1
        if gateway.connections == 2:
            await socket.close(1011, "lost")
            return
        await answer_all(gateway, socket)

    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        streams = traffic.streams(f"ws://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
        wanted = [
            stream | {"every_s": 0}
            for stream in streams
            if stream["name"] in ("records direct", "spoken proxy")
        ]
        order = json.dumps({"mark": "m", "streams": wanted})
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, ROOT / "lab/on_hosts/turns.py"),
            env={"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        process.stdin.write(f"{order}\n".encode())
        turns = []
        async with asyncio.timeout(30):
            while len({turn.stream for turn in turns if turn.ok}) < 2 or all(turn.ok for turn in turns):
                turns.append(Turn(**json.loads(await process.stdout.readline())))
            process.stdin.write(b"end\n")
            await process.wait()
    typed = [turn for turn in turns if turn.kind == "records"]
    assert len({turn.question for turn in typed}) == len(typed)
    assert all(turn.said.startswith("You") for turn in turns if turn.ok)
    assert "lost" in next(turn.said for turn in turns if not turn.ok)
    assert all(turn.asked <= turn.ended for turn in turns)
