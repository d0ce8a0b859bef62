"""The cache of downloads, filled from a server on loopback that breaks off, lies and goes away."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import zipfile

import pytest
import zstandard
from ansible.module_utils import archives, fetching
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


def archive(web, name, **members):
    """Put an archive on the server, a zip or a tar by its name, and return how it is declared."""
    content = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(content, "w") as file:
            for path, text in members.items():
                file.writestr(path, text)
    else:
        with tarfile.open(fileobj=content, mode="w:gz" if name.endswith("gz") else "w") as file:
            for path, text in members.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode, entry.uid = len(text), 0o700 if "run" in path else 0o600, 4242
                file.addfile(entry, io.BytesIO(text.encode()))
    packed = content.getvalue()
    return declared(web, f"models/{name}", zstandard.compress(packed) if name.endswith("zst") else packed)


def test_an_archive_can_add_to_what_another_has_unpacked(cache, web, tmp_path):
    release = archive(web, "release.tgz", **{"bin/run": "a", "lib/run/cpu/x.so": "b"})
    extra = archive(web, "extra.tgz", **{"lib/run/rocm_v7/y.so": "c"})
    release |= {"unpack_to": "out", "creates": "bin/run"}
    extra |= {"unpack_to": "out", "creates": "lib/run/rocm*", "merge": True}
    assert cache(release, extra)["unpacked"] == ["out", "out"]
    out = tmp_path / "cache/out"
    assert {path.name for path in out.rglob("*") if path.is_file()} >= {"run", "x.so", "y.so"}
    assert cache(release, extra)["changed"] is False
    other = archive(web, "release.tgz", **{"bin/run": "a", "lib/run/cpu/z.so": "b"})
    assert cache(other | {"unpack_to": "out", "creates": "bin/run"}, extra)["unpacked"] == ["out", "out"]
    assert {path.name for path in (out / "lib").rglob("*.so")} == {"y.so", "z.so"}


@pytest.mark.parametrize("name", ["model.zip", "model.tgz", "model.tar.zst"])
def test_an_archive_is_unpacked_once_for_everybody_to_read(cache, web, tmp_path, name):
    file = archive(web, name, **{"bin/run": "a", "data": "b"}) | {"unpack_to": "models", "creates": "bin/run"}
    assert cache(file, check=True)["unpacked"] == ["models"]
    first = cache(file)
    models = tmp_path / "cache/models"
    assert (first["changed"], first["unpacked"]) == (True, ["models"])
    assert {path.name for path in models.iterdir()} == {name, "bin", "data"}
    assert ((models / "data").stat().st_mode & 0o777, (models / "data").stat().st_uid) == (
        0o644,
        os.geteuid(),
    )
    assert cache(file)["changed"] is cache(file, check=True)["changed"] is False


def test_what_is_missing_of_an_archive_is_unpacked_again_without_a_download(cache, web, tmp_path):
    file = archive(web, "model.zip", **{"bin/run": "a", "data": "b"}) | {"unpack_to": "out", "creates": "bin"}
    cache(file)
    asked = len(web.requests)
    shutil.rmtree(tmp_path / "cache/out/bin")
    (tmp_path / "cache/out/data").write_text("changed")
    (tmp_path / "cache/out/theirs").write_text("kept")
    again = cache(file)
    assert (again["fetched"], again["unpacked"], len(web.requests)) == ([], ["out"], asked)
    found = {path.name: path.read_text() for path in (tmp_path / "cache/out").rglob("*") if path.is_file()}
    assert found == {"run": "a", "data": "b", "theirs": "kept"}


def test_another_archive_of_the_same_name_is_unpacked_anew(cache, web, tmp_path):
    where = {"unpack_to": "out", "creates": "data"}
    cache(archive(web, "model.zip", data="a") | where)
    assert cache(archive(web, "model.zip", data="b") | where)["unpacked"] == ["out"]
    assert (tmp_path / "cache/out/data").read_text() == "b"


def test_what_others_have_unpacked_counts(cache, web, tmp_path):
    file = archive(web, "model.zip", data="a")
    cache(file)
    (tmp_path / "cache/out").mkdir()
    (tmp_path / "cache/out/data").write_text("a")
    assert cache(file | {"unpack_to": "out", "creates": "data"})["changed"] is False


def test_what_tells_that_an_archive_is_unpacked_comes_last(cache, web, tmp_path, monkeypatch):
    file = archive(web, "model.zip", **{"a": "1", "m/run": "2", "z": "3"}) | {
        "unpack_to": "out",
        "creates": "m/run",
    }
    order = []
    replace = archives._replace
    monkeypatch.setattr(
        archives,
        "_replace",
        lambda path, target, last: (order.append(path.name), replace(path, target, last)),
    )
    cache(file)
    assert (sorted(order[:-1]), order[-1]) == (["a", "z"], "m")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no archive", "model.tgz cannot be unpacked: tar: "), (None, "model.tgz does not hold bin/run")],
)
def test_what_cannot_be_unpacked_is_told_and_leaves_nothing(cache, web, tmp_path, content, message):
    file = declared(web, "model.tgz", content) if content else archive(web, "model.tgz", data="b")
    path = file["path"]
    with pytest.raises(ModuleFailed, match=message):
        cache(file | {"unpack_to": "out", "creates": "bin/run"})
    assert list((tmp_path / "cache/out").iterdir()) == [] and (tmp_path / "cache" / path).exists()


def test_a_file_that_finds_no_room_is_not_begun_and_the_file_system_is_named(cache, web, tmp_path, full_disk):
    full_disk(fetching.RESERVE_BYTES + len(CONTENT) - 1)
    with pytest.raises(ModuleFailed, match=r"not enough room for http.*on the file system of /.* are free"):
        cache(declared(web, "big.tgz", CONTENT))
    assert not (tmp_path / "cache/big.tgz").exists()
    full_disk(fetching.RESERVE_BYTES + len(CONTENT))
    assert cache(declared(web, "big.tgz", CONTENT))["changed"]
