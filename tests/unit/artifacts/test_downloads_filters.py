"""What comes from the internet is led through the cache, and both sides agree on where it stands."""

from __future__ import annotations

import pytest
from downloads import cached_files, from_cache

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
