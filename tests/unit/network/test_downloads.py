"""What comes from the internet is led through the cache, and both sides agree on where it stands."""

from __future__ import annotations

import pytest

from hal.network.downloads import cached_files, from_cache, model_downloads, package_archives

CACHE = "http://198.18.70.10:8080"
SUM = "sha256:" + "a" * 64
ARCHIVE = {"version": "1", "url": "https://github.example/releases/v1/ollama.tgz", "checksum": SUM}
PYTHON = {"version": "3", "url": "https://python.example/python.exe", "sha256": "a" * 64}
MODEL = {"name": "m", "url": "https://models.example/m/resolve/rev", "path": ".", "files": {"model.bin": SUM}}
WHEEL = {"name": "w", "url": f"{CACHE}/wheels/w.whl", "checksum": SUM}


@pytest.mark.parametrize("download", [ARCHIVE, PYTHON])
def test_a_file_is_where_the_host_is_told_to_fetch_it(download):
    (file,) = cached_files([download], CACHE)
    assert file == {"path": file["path"], "url": download["url"], "checksum": SUM}
    assert from_cache(download, CACHE) == download | {"url": f"{CACHE}/downloads/{file['path']}"}


def test_every_file_of_a_directory_is_where_the_host_is_told_to_fetch_it():
    model = MODEL | {"files": {"model.bin": SUM, "config.json": "sha256:" + "b" * 64}}
    files = cached_files([model], CACHE)
    told = from_cache(model, CACHE)
    assert {file["url"]: file["checksum"] for file in files} == {
        f"{MODEL['url']}/{name}": checksum for name, checksum in model["files"].items()
    }
    assert [f"{told['url']}/{name}" for name in model["files"]] == [
        f"{CACHE}/downloads/{file['path']}" for file in files
    ]


@pytest.mark.parametrize("download", [WHEEL, {"name": "x", "url": "file:///srv/x.zip", "checksum": SUM}, {}])
def test_what_does_not_come_from_outside_stays_as_it_is(download):
    assert cached_files([download], CACHE) == []
    assert from_cache(download, CACHE) == download


def test_one_that_only_looks_like_the_cache_comes_from_outside():
    assert len(cached_files([ARCHIVE | {"url": f"{CACHE}0/x.tgz"}], CACHE)) == 1


def test_an_archive_is_fetched_and_unpacked_beside_itself():
    archive = {"name": "tiny", "url": "http://there/x/tiny.whl", "checksum": SUM, "path": "tiny/model"}
    assert model_downloads([archive, {}]) == [
        {
            "path": "tiny/tiny.whl",
            "url": "http://there/x/tiny.whl",
            "checksum": SUM,
            "unpack_to": "tiny",
            "creates": "tiny/model",
        }
    ]


def test_a_model_of_several_files_has_them_side_by_side():
    files = {"name": "small", "url": "http://there/rev", "path": ".", "files": {"a.bin": SUM, "b.json": SUM}}
    assert model_downloads([files]) == [
        {"path": f"small/{file}", "url": f"http://there/rev/{file}", "checksum": SUM}
        for file in ("a.bin", "b.json")
    ]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("deb [arch=amd64] http://Archive.Example.org/debian trixie main", ["archive.example.org"]),
        ("URIs: http://a.example/ubuntu http://b.example:80/ubuntu/", ["a.example", "b.example"]),
        ("URIs: http://a.example", ["a.example"]),
        ("# deb http://old.example/debian trixie main", []),
        ("deb http://a.example/debian x main # not http://b.example/", ["a.example"]),
        ("deb https://tls.example/debian trixie main", []),
        ("deb http://192.0.2.1/debian x main", []),
        ("deb http://a.example:8080/debian x main", []),
        ("deb http://user:word@a.example/debian x main", []),
        ("deb http://a.example;allow/debian x main", []),
        ("", []),
    ],
)
def test_archives_are_those_that_the_proxy_can_fetch_from(source, names):
    assert package_archives({"host": {"package_sources": {"stdout": source}}}) == {"host": names}


def test_a_host_whose_sources_were_not_read_names_nothing():
    assert package_archives({"other": {}, "mac": {"package_sources": {"skipped": True}}}) == {}
