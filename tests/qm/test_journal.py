"""The journal of the conversations on a real QM: what is missing is restored from it, as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import Listener, install

ASKED = ["Was nimmt José Müller?", "a\tb\\tc\\\\d\re\nf\u0001", "日本 😀 þÿûüý", "what day is it today"]


@pytest.fixture
def journal(account: Any, tmp_path: Path) -> Iterator[Path]:
    """The directory of the journal, of an account that has no turns yet."""
    account.run("DELETE CONVERSATION ALL NO.QUERY")
    assert account.program(f"HAL.JOURNAL.SET {tmp_path}") == "installed"
    yield tmp_path
    assert account.program("HAL.JOURNAL.SET") == "installed"


def turns(account: Any) -> dict[str, bytes]:
    """Return the records of the file CONVERSATION by their keys."""
    copied = account.directory / "COPIED"
    account.run("CREATE.FILE COPIED DIRECTORY NO.QUERY")
    account.run("COPY FROM CONVERSATION TO COPIED ALL")
    try:
        return {path.name: path.read_bytes() for path in copied.iterdir()}
    finally:
        account.run("DELETE.FILE COPIED NO.QUERY")
        shutil.rmtree(copied, ignore_errors=True)


def lose(account: Any) -> None:
    account.run("DELETE CONVERSATION ALL NO.QUERY")
    assert turns(account) == {}


def replay(account: Any) -> list[str]:
    said: list[str] = account.run("RUN HAL.BP HAL.REPLAY NO.PAGE").splitlines()
    return said


def journaled(journal: Path) -> Path:
    """Return the one file of the journal."""
    (file,) = journal.iterdir()
    return file


def test_what_a_lost_account_had_comes_back_as_it_was(listener: Listener, journal: Path) -> None:
    for text in ASKED:
        listener.ask(text, session_id="Zoë\t1", client_type="größe")
    before = turns(listener.account)
    assert len(before) == len(ASKED)
    lose(listener.account)
    assert replay(listener.account) == [
        "4 turns restored, 0 there already, 0 damaged lines left out",
        "loaded",
    ]
    assert turns(listener.account) == before


def test_replaying_again_changes_nothing(listener: Listener, journal: Path) -> None:
    listener.ask("what day is it today")
    lose(listener.account)
    replay(listener.account)
    restored = turns(listener.account)
    said = replay(listener.account)
    assert said == ["0 turns restored, 1 there already, 0 damaged lines left out", "unchanged"]
    assert turns(listener.account) == restored


def test_turns_of_the_same_second_are_kept_apart(listener: Listener, journal: Path) -> None:
    with ThreadPoolExecutor(16) as callers:
        list(callers.map(lambda _: listener.ask("what day is it today"), range(100)))
    before = turns(listener.account)
    assert len(before) == 100
    lose(listener.account)
    replay(listener.account)
    assert turns(listener.account) == before


def test_damaged_and_half_written_lines_are_named_and_left_out(listener: Listener, journal: Path) -> None:
    for text in ASKED:
        listener.ask(text)
    before = turns(listener.account)
    file = journaled(journal)
    first, second, third, fourth = (line for line in file.read_bytes().split(b"\n") if line)
    second = second.replace(b"a\\tb", b"a\\tB")
    third = third[: len(third) // 2]  # a crash; the listener that is started again goes on after it
    zeros = bytes(40)  # what a file system may leave of a line after a loss of power
    file.write_bytes(
        b"\n".join([b"", first, b"", second, b"", third + b"\n" + fourth, zeros, b"\xfd\xff", b"x"])
    )
    lose(listener.account)
    said = replay(listener.account)
    assert said[-2:] == ["2 turns restored, 0 there already, 5 damaged lines left out", "loaded"]
    assert [line for line in said if line.startswith(f"{file.name}: line ")] == said[:-2]
    kept = {line.split(b"\t")[0].decode() for line in (first, fourth)}
    assert turns(listener.account) == {key: before[key] for key in kept}


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_line_is_restored_only_whole(listener: Listener, journal: Path, cut: int) -> None:
    listener.ask("what day is it today")
    file = journaled(journal)
    file.write_bytes(file.read_bytes().rstrip(b"\n")[:-cut])
    lose(listener.account)
    replay(listener.account)
    assert turns(listener.account) == {}


def test_a_turn_after_half_of_one_is_not_lost(listener: Listener, journal: Path) -> None:
    listener.ask("what day is it today")
    file = journaled(journal)
    file.write_bytes(file.read_bytes()[:-20])
    listener.ask("what time is it")
    lose(listener.account)
    assert replay(listener.account)[-2].startswith("1 turns restored")


def test_a_journal_that_cannot_be_written_loses_no_turn_and_is_one_event(
    listener: Listener, journal: Path
) -> None:
    journal.rmdir()
    for _ in range(3):
        assert listener.ask("what day is it today")["action_taken"] == "GENERAL_DATE"
    assert len(turns(listener.account)) == 3
    journal.mkdir()
    listener.ask("what time is it")
    assert journaled(journal).read_bytes().count(b"\tGENERAL_TIME\t") == 1
    events = [
        line for line in listener.account.run("LIST HAL.EVENTS NO.PAGE").splitlines() if "HAL.JOURNAL" in line
    ]
    assert len(events) == 2


def test_files_of_long_ago_are_removed_and_no_others(listener: Listener, journal: Path) -> None:
    today = datetime.now().astimezone()
    old, kept = (
        [f"{today - timedelta(days=days):%Y%m%d}.{user}" for user in ("1", "31", "5.c2c2c2c2")]
        for days in (95, 85)
    )
    others = ["20200101", "20200101.txt", "notes"]
    for name in (*old, *kept, *others):
        (journal / name).touch()
    assert listener.account.program("HAL.STOP") == "stopped"  # the next process looks first
    assert listener.start() == "started"
    listener.ask("what day is it today")
    left = {path.name for path in journal.iterdir()}
    assert left & {*old, *kept, *others} == {*kept, *others}


def test_the_directory_is_set_once_and_must_exist(account: Any, journal: Path) -> None:
    assert account.program(f"HAL.JOURNAL.SET {journal}") == "unchanged"
    with pytest.raises(install.QmError, match="there is no directory"):
        account.program(f"HAL.JOURNAL.SET {journal}/missing")


def test_without_a_journal_nothing_is_replayed(account: Any) -> None:
    with pytest.raises(install.QmError, match="there is no journal"):
        account.program("HAL.REPLAY")
