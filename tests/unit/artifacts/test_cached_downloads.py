"""The cache of downloads, filled from a server on loopback that breaks off, lies and goes away."""

from __future__ import annotations

import hashlib
import os

import pytest
from tests.conftest import ModuleFailed

CONTENT = bytes(range(256)) * 400


def declared(web, path, content):
    """Put a file on the server and return how it is declared."""
    web.files[f"/{path}"] = content
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"path": path, "url": f"{web.url}/{path}", "checksum": checksum}


@pytest.fixture
def cache(run_module, tmp_path):
    """Run the module on a directory of its own."""

    def run(*files, check=False, **options):
        parameters = {"path": str(tmp_path / "cache"), "files": files} | options
        return run_module("cached_downloads", parameters, check=check)

    return run


def test_files_are_fetched_once_and_then_no_server_is_asked(cache, web, tmp_path):
    files = [declared(web, "a.example/big.tgz", CONTENT), declared(web, "b.example/x/y.json", b"{}")]
    first = cache(*files)
    asked = len(web.requests)
    second = cache(*files)
    assert first["changed"] and first["fetched"] == [file["url"] for file in files]
    assert (tmp_path / "cache/a.example/big.tgz").read_bytes() == CONTENT
    assert (tmp_path / "cache/b.example/x/y.json").stat().st_mode & 0o777 == 0o644
    assert (second["changed"], second["fetched"], len(web.requests)) == (False, [], asked)


def test_a_check_fetches_nothing_and_says_what_it_would(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    assert cache(file, check=True)["fetched"] == [file["url"]]
    assert web.requests == [] and not (tmp_path / "cache").exists()
    cache(file)
    assert cache(file, check=True)["changed"] is False


def test_a_download_that_breaks_off_goes_on_where_it_stopped(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    web.break_after = [1000, 2000]
    cache(file)
    assert [asked for _, asked in web.requests] == ["", "bytes=1000-", "bytes=3000-"]
    assert (tmp_path / "cache/big.tgz").read_bytes() == CONTENT


def test_the_next_run_goes_on_where_a_failed_one_stopped(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    web.break_after = [100] * 4
    with pytest.raises(
        ModuleFailed, match=r"ended after 400 of 102400 bytes.*goes on where this one stopped"
    ):
        cache(file)
    assert not (tmp_path / "cache/big.tgz").exists()
    cache(file)
    assert web.requests[-1] == ("/big.tgz", "bytes=400-")
    assert (tmp_path / "cache/big.tgz").read_bytes() == CONTENT


def test_a_server_that_cannot_send_parts_sends_all_again(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    web.break_after, web.ranges = [1000], False
    cache(file)
    assert (tmp_path / "cache/big.tgz").read_bytes() == CONTENT


def test_another_file_than_declared_is_refused_and_leaves_nothing(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    web.files["/big.tgz"] = b"something else"
    with pytest.raises(ModuleFailed, match=r"big.tgz is another file than declared: its SHA-256 is"):
        cache(file)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name != ".lock"] == []


def test_what_is_out_of_reach_is_named(cache, web):
    file = declared(web, "big.tgz", CONTENT)
    del web.files["/big.tgz"]
    with pytest.raises(ModuleFailed, match=r"big.tgz cannot be fetched: .*404"):
        cache(file)


def test_a_file_that_was_changed_or_deleted_comes_back(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    cache(file)
    there = tmp_path / "cache/big.tgz"
    there.write_bytes(b"broken" + CONTENT[6:])
    os.utime(there, ns=(1, 1))
    assert cache(file)["changed"]
    assert there.read_bytes() == CONTENT
    there.unlink()
    assert cache(file)["changed"]
    assert there.read_bytes() == CONTENT


def test_a_file_that_was_put_there_by_hand_is_taken_if_it_is_the_one(cache, web, tmp_path):
    file = declared(web, "big.tgz", CONTENT)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/big.tgz").write_bytes(CONTENT)
    assert cache(file)["changed"] is False
    assert web.requests == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"checksum": "md5:1234"}, "is not sha256: and 64 hexadecimal digits"),
        ({"path": "../outside"}, "is not a path below the directory"),
        ({"path": "/etc/passwd"}, "is not a path below the directory"),
    ],
)
def test_a_wrong_declaration_is_refused_before_anything_is_asked(cache, web, wrong, sentence):
    with pytest.raises(ModuleFailed, match=sentence):
        cache(declared(web, "big.tgz", CONTENT) | wrong)
    assert web.requests == []


@pytest.mark.usefixtures("clock")
def test_what_takes_long_tells_how_far_it_is_and_goes_on(cache, web, tmp_path):
    files = [declared(web, "small.json", b"{}"), declared(web, "big.tgz", bytes(3_000_000))]
    first, second, third = (cache(*files, report_after=100) for _ in range(3))
    assert (first["complete"], first["fetched"]) == (False, [files[0]["url"]])
    assert (first["progress"], second["progress"]) == ("big.tgz: 1.0 of 3.0 MB", "big.tgz: 2.0 of 3.0 MB")
    assert (third["complete"], third["changed"], third["fetched"]) == (True, True, [files[1]["url"]])
    assert [asked for _, asked in web.requests] == ["", "", "bytes=1000000-", "bytes=2000000-"]
    assert (tmp_path / "cache/big.tgz").stat().st_size == 3_000_000
    assert cache(*files, report_after=100)["changed"] is False


@pytest.mark.usefixtures("clock")
def test_a_server_that_cannot_send_parts_is_not_interrupted(cache, web, tmp_path):
    web.ranges = False
    assert cache(declared(web, "big.tgz", CONTENT), report_after=1)["complete"]
    assert (tmp_path / "cache/big.tgz").read_bytes() == CONTENT
