"""What is copied is what stood there at one moment, what differs is noticed, and a restore loses nothing."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest


def database(path: Path, rows: int = 3) -> sqlite3.Connection:
    """Return an open database in WAL mode, as the engine's, its last rows not yet in the main file."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS pair (id INTEGER PRIMARY KEY, low INTEGER, high INTEGER)")
    for number in range(rows):
        connection.execute("INSERT INTO pair (low, high) VALUES (?, ?)", (number, -number))
    return connection


@pytest.fixture
def sqlite_item(tmp_path):
    path = tmp_path / "live" / "household.sqlite"
    path.parent.mkdir()
    with closing(database(path)) as connection:
        yield {"kind": "sqlite", "paths": [str(path)], "every": 20}, connection


@pytest.fixture
def files_item(tmp_path):
    directory = tmp_path / "live" / "certificates"
    directory.mkdir(parents=True)
    (directory / "a.pem").write_text("one")
    (directory / "a.pem").chmod(0o600)
    (directory / "b.pem").symlink_to("a.pem")
    single = tmp_path / "live" / "single.conf"
    single.write_text("two")
    return {"kind": "files", "paths": [str(directory), str(single)], "every": 20}


def test_a_copy_of_a_database_holds_what_only_its_log_has(items, sqlite_item, tmp_path):
    item, _ = sqlite_item
    items.copy_item(item, tmp_path / "copy")
    found = items.content(item, tmp_path / "copy")
    assert found == items.content(item, Path("/"))
    assert found["rows"] == {"pair": 3}


def test_a_copy_is_of_one_moment_while_the_database_is_written_to(items, sqlite_item, tmp_path):
    """Each transaction adds two rows: a copy with an odd number of them would be of no moment at all."""
    item, connection = sqlite_item
    stop = threading.Event()

    def write():
        while not stop.is_set():
            connection.execute("BEGIN")
            for _ in range(2):
                connection.execute("INSERT INTO pair (low, high) VALUES (1, 1)")
            connection.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(20):
            items.copy_item(item, tmp_path / str(number))
            rows = items.content(item, tmp_path / str(number))["rows"]["pair"]
            assert (rows - 3) % 2 == 0
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(
    "change",
    ["UPDATE pair SET high = 7 WHERE id = 2", "DELETE FROM pair WHERE id = 3", "CREATE TABLE another (x)"],
)
def test_the_digest_of_a_database_tells_every_change(items, sqlite_item, change):
    item, connection = sqlite_item
    before = items.content(item, Path("/"))
    connection.execute(change)
    after = items.content(item, Path("/"))
    assert after["digest"] != before["digest"] or after["rows"] != before["rows"]


def test_a_damaged_database_is_no_content(items, sqlite_item, tmp_path):
    item, _ = sqlite_item
    items.copy_item(item, tmp_path / "copy")
    damaged = tmp_path / "copy" / item["paths"][0].lstrip("/")
    damaged.write_bytes(damaged.read_bytes()[:1000] + b"\0" * 5000)
    with pytest.raises(items.BackupError):
        items.content(item, tmp_path / "copy")


def test_the_digest_of_files_tells_names_contents_and_links(items, files_item, tmp_path):
    directory = Path(files_item["paths"][0])
    digests = [items.content(files_item, Path("/"))["digest"]]
    (directory / "a.pem").write_text("other")
    digests.append(items.content(files_item, Path("/"))["digest"])
    (directory / "a.pem").rename(directory / "c.pem")
    digests.append(items.content(files_item, Path("/"))["digest"])
    (directory / "b.pem").unlink()
    (directory / "b.pem").symlink_to("c.pem")
    digests.append(items.content(files_item, Path("/"))["digest"])
    assert len(set(digests)) == len(digests)


def test_what_was_just_written_to_has_no_signature_yet(items, files_item):
    assert items.signature(files_item) is None


def test_a_signature_tells_a_later_write(items, sqlite_item):
    item, connection = sqlite_item
    path = Path(item["paths"][0])
    long_ago = time.time() - 3600
    for file in (path, Path(f"{path}-wal")):
        os.utime(file, (long_ago, long_ago))
    before = items.signature(item)
    assert before is not None and before == items.signature(item)
    connection.execute("INSERT INTO pair (low, high) VALUES (9, 9)")
    os.utime(f"{path}-wal", (long_ago + 10, long_ago + 10))
    assert items.signature(item) not in (None, before)


def test_a_missing_item_is_not_there(items, tmp_path):
    (tmp_path / "empty").mkdir()
    assert not items.is_there(tmp_path / "nothing")
    assert not items.is_there(tmp_path / "empty")


def test_files_are_put_back_with_their_modes_and_links(items, files_item, tmp_path):
    items.copy_item(files_item, tmp_path / "stage" / "data")
    before = items.content(files_item, Path("/"))
    for path in map(Path, files_item["paths"]):
        path.rename(tmp_path / f"lost-{path.name}")
    items.place(files_item, tmp_path / "stage", tmp_path / "aside")
    assert items.content(files_item, Path("/")) == before
    directory = Path(files_item["paths"][0])
    assert (directory / "a.pem").stat().st_mode & 0o777 == 0o600
    assert (directory / "b.pem").is_symlink()
    assert not (tmp_path / "aside").exists()


def test_what_is_replaced_is_kept_aside_and_its_log_with_it(items, sqlite_item, tmp_path):
    item, connection = sqlite_item
    path = Path(item["paths"][0])
    items.copy_item(item, tmp_path / "stage" / "data")
    backed_up = items.content(item, tmp_path / "stage" / "data")
    connection.execute("INSERT INTO pair (low, high) VALUES (5, 5)")
    replaced = items.content(item, Path("/"))
    items.place(item, tmp_path / "stage", tmp_path / "aside")
    assert items.content(item, Path("/"))["digest"] == backed_up["digest"]
    assert items.content(item, tmp_path / "aside")["digest"] == replaced["digest"]
    assert sorted(file.name for file in path.parent.iterdir()) == ["household.sqlite"]
    connection.close()


def test_a_restore_that_was_interrupted_can_be_run_again(items, files_item, tmp_path):
    items.copy_item(files_item, tmp_path / "stage" / "data")
    directory = Path(files_item["paths"][0])
    directory.rename(tmp_path / "lost")
    beside = directory.with_name(f".{directory.name}.restoring")
    beside.mkdir()
    (beside / "half.pem").write_text("half")
    items.place(files_item, tmp_path / "stage", tmp_path / "aside")
    assert sorted(file.name for file in directory.iterdir()) == ["a.pem", "b.pem"]
    assert not beside.exists()
