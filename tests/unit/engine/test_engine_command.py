"""The command hal-engine as a process: init, serve, SIGTERM, faults; and the conversation log."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hal.engine import database
from hal.engine.main import initialise
from hal.protocol import ListenerReply, ListenerRequest

SOURCES = Path(__file__).parents[3] / "src"


def command(*arguments: str, **settings: object) -> subprocess.Popen[str]:
    environ = {f"HAL_ENGINE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "hal.engine.main", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_init_says_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    said = [
        command("init", *flags, database=path).communicate(timeout=30)[0]
        for flags in ([], ["--sample"], ["--sample"])
    ]
    assert said == ["created\n", "loaded\n", "unchanged\n"]
    assert path.stat().st_mode & 0o077 == 0


def test_the_sample_is_dated_as_of_the_day_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    command("init", "--sample", "--as-of", "2026-03-11", database=path).communicate(timeout=30)
    with closing(sqlite3.connect(path)) as connection:
        (upcoming,) = connection.execute(
            "SELECT MIN(date) FROM appointment WHERE status = 'scheduled'"
        ).fetchone()
    assert upcoming == "2026-03-12"


def test_sample_never_touches_a_household(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    initialise(path, sample=False, today=date(2026, 3, 11))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO allergy (allergen, category, severity) VALUES ('nickel', 'environment', 'mild')"
        )
        connection.commit()
    assert initialise(path, sample=True, today=date(2026, 3, 11)) == ["unchanged"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM medication").fetchone() == (0,)


@pytest.mark.parametrize("today", [date(2026, 3, 11), date(2028, 2, 29)])
def test_sample_is_believable_on_any_day(tmp_path: Path, today: date) -> None:
    path = tmp_path / "household.db"
    assert initialise(path, sample=True, today=today) == ["created", "loaded"]
    with closing(sqlite3.connect(path)) as connection:
        counts = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in database.RECORD_TABLES
        }
        inactive = connection.execute("SELECT COUNT(*) FROM medication WHERE status = 'inactive'").fetchone()[
            0
        ]
        coming = connection.execute(
            "SELECT MIN(date) FROM appointment WHERE date > ?", [today.isoformat()]
        ).fetchone()[0]
        newest = connection.execute("SELECT MAX(date) FROM transactions").fetchone()[0]
        since = connection.execute("SELECT MIN(date) FROM health_data").fetchone()[0]
    assert counts["medication"] - inactive >= 8
    assert inactive >= 2
    assert counts["appointment"] >= 6
    assert counts["transactions"] >= 100
    assert coming == (today + timedelta(days=1)).isoformat()
    assert newest < today.isoformat()
    assert since < (today - timedelta(days=90)).isoformat()


def test_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    initialise(path, sample=True, today=date(2026, 3, 11))
    process = command(database=path, port=0)
    assert process.stderr is not None
    ready = process.stderr.readline()
    address = re.search(r"listening on 127\.0\.0\.1:(\d+)", ready)
    assert address, ready
    with socket.create_connection(("127.0.0.1", int(address[1])), timeout=10) as connection:
        connection.sendall(ListenerRequest("list my severe allergies", session_id="abc").encode())
        reply = ListenerReply.decode(b"".join(iter(lambda: connection.recv(65_536), b"")))
    assert "penicillin" in reply.response_text
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "severe allergies" not in log
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT session, client, question, intent, action, status FROM conversation"
        ).fetchall()
    assert row == [
        ("abc", "voice_gateway", "list my severe allergies", "ALLERGY", "ALLERGY_SEVERE", "success")
    ]


def test_a_caller_has_the_time_that_is_set(tmp_path: Path) -> None:
    process = command(database=tmp_path / "household.db", port=0, timeout_s=0.2)
    try:
        assert process.stderr is not None
        address = re.search(r"listening on 127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert address
        with socket.create_connection(("127.0.0.1", int(address[1])), timeout=10) as connection:
            reply = ListenerReply.decode(b"".join(iter(lambda: connection.recv(65_536), b"")))
    finally:
        process.kill()
        process.communicate(timeout=20)
    assert "within 0.2 seconds" in reply.response_text


def test_in_phantom_mode_it_serves_clients_and_ends_on_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    initialise(path, sample=True, today=date(2026, 3, 11))
    process = command(database=path, mode="phantom", host="127.0.0.1", port=0)
    assert process.stderr is not None
    address = re.search(r"listening on 127\.0\.0\.1:(\d+)", process.stderr.readline())
    assert address
    with connect(f"ws://127.0.0.1:{address[1]}", proxy=None) as client:
        assert json.loads(client.recv(10))["type"] == "connected"
        client.send(json.dumps({"type": "transcription", "text": "list my severe allergies"}))
        assert "penicillin" in json.loads(client.recv(10))["text"]
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(10)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    assert "severe allergies" not in log


@pytest.mark.parametrize(
    ("module", "absent"),
    [("hal.engine.main", "websockets"), ("hal.engine.phantom", "httpx")],
)
def test_a_mode_loads_no_package_that_its_lock_lacks(module: str, absent: str) -> None:
    program = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    environ = {**os.environ, "PYTHONPATH": str(SOURCES)}
    assert subprocess.run([sys.executable, "-c", program], env=environ, check=False).returncode == 0


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"database": "x.db", "mode": "ghost"}, 2, "mode must be listener or phantom, not 'ghost'"),
        ({"mode": "phantom"}, 2, "HAL_ENGINE_DATABASE must be set"),
        ({"database": "x.db", "mode": "phantom", "port": 70_000}, 2, "port must be between 0 and 65535"),
        ({}, 2, "HAL_ENGINE_DATABASE must be set"),
        ({"database": "/nowhere/x.db"}, 1, "cannot open the database /nowhere/x.db"),
        ({"database": __file__}, 1, "not a database"),
    ],
)
def test_fault_is_one_sentence(settings: dict[str, Any], code: int, said: str) -> None:
    process = command("init", **settings)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert said in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_init_refuses_a_damaged_database_and_says_how_to_restore(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "household.sqlite"
    initialise(path, sample=True, today=date(2026, 3, 11))
    os.truncate(path, int(path.stat().st_size * keep))
    damaged = path.read_bytes()
    process = command("init", database=path)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in errors
    assert "playbooks/restore.yml -e overwrite=true" in errors
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("mode", ["listener", "phantom"])
def test_port_in_use(tmp_path: Path, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(database=tmp_path / "x.db", mode=mode, host="127.0.0.1", port=port)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "address already in use" in errors.lower()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tokens_file": "/nowhere/tokens"}, "the tokens file /nowhere/tokens cannot be read"),
        (
            {"tls_port": free_port(), "certificate_file": "/nowhere/x.pem"},
            "the certificate /nowhere/x.pem cannot be used",
        ),
        ({"timezone": "Europe/Nowhere"}, "there is no time zone 'Europe/Nowhere'"),
    ],
)
def test_a_file_that_a_setting_names_and_is_not_there_is_told(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    process = command(database=tmp_path / "x.db", mode="phantom", host="127.0.0.1", port=0, **settings)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said in errors and "Traceback" not in errors


async def test_every_exchange_is_recorded(caller: Any, sample: Path) -> None:
    await caller.ask("what's the wifi password", session="first")
    await caller.ask("What is the capital of France?", session="second")
    with closing(sqlite3.connect(sample)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        rows = connection.execute("SELECT session, intent, status FROM conversation ORDER BY id").fetchall()
    assert rows == [("first", "PASSWORD", "success"), ("second", "GENERAL", "delegate")]


async def test_answers_although_the_log_cannot_be_written(caller: Any, sample: Path) -> None:
    with closing(sqlite3.connect(sample)) as connection:
        connection.execute("DROP TABLE conversation")
    assert (await caller.ask("list my allergies"))["status"] == "success"


async def test_answers_follow_the_records(caller: Any, sample: Path) -> None:
    with closing(sqlite3.connect(sample)) as connection:
        connection.execute("UPDATE medication SET status = 'inactive' WHERE name <> 'lisinopril'")
        connection.execute("DELETE FROM allergy")
        connection.execute("DELETE FROM transactions")
        connection.commit()
    assert (
        "one active medication: lisinopril 10 milligrams."
        in (await caller.ask("list my medications"))["response_text"]
    )
    assert (await caller.ask("what are my allergies"))["response_text"] == "No allergies are on record."
    assert "no transactions" in (await caller.ask("how much did I spend this year"))["response_text"]


async def test_an_empty_household_has_answers(caller: Any, sample: Path) -> None:
    with closing(sqlite3.connect(sample)) as connection:
        for table in database.RECORD_TABLES:
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
    questions = (
        "list my medications",
        "what refills are due",
        "what is my next appointment",
        "what are my vitals",
    )
    for question in questions:
        reply = await caller.ask(question)
        assert reply["status"] == "success"
        assert " no " in f" {reply['response_text'].lower()}"


def test_a_time_zone_that_does_not_exist_stops_the_engine_with_a_sentence(tmp_path: Path) -> None:
    process = command(database=tmp_path / "household.db", timezone="Europe/Nowhere")
    assert process.communicate(timeout=30)[1].startswith("hal-engine: there is no time zone 'Europe/Nowhere'")
    assert process.returncode == 2


def test_init_dates_the_sample_in_the_households_zone(tmp_path: Path) -> None:
    days = set()
    for zone in ("Etc/GMT+12", "Etc/GMT-14"):  # 26 hours apart: never the same day
        path = tmp_path / f"{zone[4:]}.db"
        command("init", "--sample", database=path, timezone=zone).communicate(timeout=30)
        with closing(sqlite3.connect(path)) as connection:
            days.add(connection.execute("SELECT MIN(date) FROM appointment").fetchone()[0])
    assert len(days) == 2
