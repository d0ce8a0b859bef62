"""production/pins/locks.py: what is newer than the locks, from an index on loopback that uv really asks."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from production.pins import __main__ as program
from production.pins.finding import Finding, State
from production.pins.locks import Locks
from production.pins.web import Web
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
COMPILE = re.search(
    r"^  uv pip compile.*?\n(?:    .*\n)+", (ROOT / "requirements/lock.sh").read_text(), re.MULTILINE
)
LOCK = """#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")/.."
upgrade=${1:-}
target=(--universal --python-version 3.12)
compile() {
%s}
compile service requirements/service.in
compile exact requirements/exact.in
"""


@functools.cache  # an archive holds the time: made anew it would be another file
def wheel(name: str, version: str, needs: str = "") -> bytes:
    """Return a wheel of nothing but its metadata."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        about = f"{name}-{version}.dist-info"
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
        )
        archive.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{about}/RECORD", "")
    return written.getvalue()


class Index:
    """A package index. Attributes: files by name; those of them that are yanked; whether it answers."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.yanked: set[str] = set()
        self.answers = True

    def add(self, name: str, version: str, needs: str = "", build: str = "") -> str:
        """Add a wheel, and return its file's name."""
        file = f"{name}-{version}{build}-py3-none-any.whl"
        self.files[file] = wheel(name, version, needs)
        return file

    def page(self, name: str) -> str:
        """Return the page of a package, as PEP 503 has it."""
        return "".join(
            f'<a href="/files/{file}#sha256={hashlib.sha256(content).hexdigest()}"'
            f"{' data-yanked' if file in self.yanked else ''}>{file}</a>\n"
            for file, content in self.files.items()
            if file.startswith(f"{name}-")
        )


@contextmanager
def served(known: Index) -> Iterator[dict[str, str]]:
    """Serve an index; yield the environment in which uv is configured for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, name = self.path.strip("/").split("/")
            content = known.files.get(name, b"") if kind == "files" else known.page(name).encode()
            if not known.answers or not content:
                self.send_error(404 if known.answers else 503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if kind == "files" else "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    someone = "someone:hidden"
    try:
        yield {
            "UV_DEFAULT_INDEX": f"http://{someone}@127.0.0.1:{server.server_address[1]}/simple/",
            "UV_NO_CACHE": "1",
            "UV_HTTP_RETRIES": "0",
            "UV_NO_CONFIG": "1",
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def first_versions() -> Index:
    """Return an index with a version each of two packages."""
    known = Index()
    known.add("alpha", "1.0")
    known.add("beta", "1.0")
    return known


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with a version each of two packages, which uv is configured for."""
    known = first_versions()
    with served(known) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield known


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two locks of what an index has, compiled with the options of the real ones."""
    directory = tmp_path_factory.mktemp("compiled")
    (directory / "requirements").mkdir()
    (directory / "pyproject.toml").write_text("")
    (directory / "requirements/service.in").write_text("alpha<3\n# nothing else\n")
    (directory / "requirements/exact.in").write_text("beta==1.0 # its data\n")
    script = directory / "requirements/lock.sh"
    assert COMPILE
    script.write_text(LOCK % COMPILE[0])
    script.chmod(0o755)
    with served(first_versions()) as environment:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        subprocess.run([script], env=os.environ | environment | {"PATH": path}, check=True, timeout=60)
    return directory


@pytest.fixture
def project(tmp_path: Path, index: Index, compiled: Path) -> Path:
    """A project of one's own with those locks."""
    return shutil.copytree(compiled, tmp_path / "project")


type LookUp = Callable[[], tuple[list[Finding], Locks]]


@pytest.fixture
def look(project: Path, tmp_path: Path) -> LookUp:
    """Look up what the index has that is newer than the locks."""

    def run() -> tuple[list[Finding], Locks]:
        (tmp_path / "copy").mkdir()
        locks = Locks(project, tmp_path / "copy")
        return list(locks.look_up()), locks

    return run


def told(findings: list[Finding]) -> list[tuple[State, str, str]]:
    return [(one.state, one.name, one.told) for one in findings]


NOTHING = [(State.CURRENT, "the locks", "within their bounds")]


def test_where_the_index_has_nothing_newer_that_is_said(look: LookUp) -> None:
    assert told(look()[0]) == NOTHING


def test_a_newer_version_within_the_bounds_is_shown_with_what_it_needs_and_written(
    look: LookUp, index: Index, project: Path
) -> None:
    index.add("alpha", "2.1", needs="gamma")
    index.add("alpha", "3.0")
    file = index.add("gamma", "0.5")
    findings, locks = look()
    assert told(findings) == [
        (State.NEWER, "alpha", "1.0 becomes 2.1 (service)"),
        (State.NEWER, "gamma", "0.5 is needed besides (service)"),
    ]
    assert locks.write() == ["service.txt"]
    lock = (project / "requirements/service.txt").read_text()
    assert f"gamma==0.5 \\\n    --hash=sha256:{hashlib.sha256(index.files[file]).hexdigest()}" in lock
    assert "make lock" in lock and "127.0.0.1" not in lock


def test_a_preview_and_a_yanked_version_are_passed_over(look: LookUp, index: Index) -> None:
    index.add("alpha", "2.0rc1")
    index.yanked.add(index.add("alpha", "2.1"))
    assert told(look()[0]) == NOTHING


def test_locks_are_not_taken_back_to_an_older_version(look: LookUp, index: Index, project: Path) -> None:
    before = (project / "requirements/service.txt").read_bytes()
    index.add("alpha", "0.9")
    index.yanked.add("alpha-1.0-py3-none-any.whl")
    findings, locks = look()
    assert told(findings) == [
        (
            State.UNKNOWN,
            "alpha",
            "1.0 would become 0.9: a newer one was withdrawn, or another package forbids it (service)",
        )
    ]
    assert locks.write() == []
    assert (project / "requirements/service.txt").read_bytes() == before


def test_a_file_that_was_replaced_under_its_version_is_not_taken(look: LookUp, index: Index) -> None:
    index.files["alpha-1.0-py3-none-any.whl"] = wheel("alpha", "1.0", needs="beta")
    findings, locks = look()
    assert (
        State.UNKNOWN,
        "alpha",
        "of 1.0 1 files that are pinned are gone from the package index (service)",
    ) in told(findings)
    assert locks.write() == []


def test_more_files_of_the_same_version_are_shown(look: LookUp, index: Index) -> None:
    index.files["alpha-1.0-cp313-none-any.whl"] = wheel("alpha", "1.0") + b"\n"
    assert told(look()[0]) == [(State.NEWER, "alpha", "1.0 has 1 more files (service)")]


def test_what_is_named_by_one_version_alone_is_left_to_a_person(look: LookUp, index: Index) -> None:
    index.add("beta", "1.2")
    findings, locks = look()
    sentence = "1.0, and there is 1.2. A person changes requirements/exact.in, then `make lock`"
    assert told(findings) == [*NOTHING, (State.NEWER, "beta", sentence)]
    assert findings[1].by_hand and locks.whole


def test_where_the_index_cannot_be_asked_nothing_is_known(look: LookUp, index: Index) -> None:
    index.answers = False
    findings, locks = look()
    assert [finding.state for finding in findings] == [State.UNKNOWN, State.UNKNOWN]
    assert findings[0].told.startswith("The package index could not be asked: ")
    assert not any("hidden" in one.told or "127.0.0.1" in one.told for one in findings)
    assert locks.write() == []


def test_where_the_index_cannot_be_asked_the_program_says_unknown(
    index: Index, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.answers = False
    assert program.main(tmp_path / "none", True, project, Web()) == 3
    out = capsys.readouterr().out
    assert "The locks stay as they are." in out and out.endswith("Newer: 0. Unknown: 2.\nWritten: nothing.\n")


def test_an_index_that_does_not_answer_in_time_is_given_up(project: Path, tmp_path: Path) -> None:
    (project / "requirements/lock.sh").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "copy").mkdir()
    findings: list[Any] = list(Locks(project, tmp_path / "copy", seconds=0.5).look_up())
    assert findings[0].told == "The package index could not be asked: no answer within 0.5 s."


def test_a_project_without_uv_knows_nothing(project: Path, tmp_path: Path) -> None:
    (project / "requirements/lock.sh").unlink()
    (tmp_path / "copy").mkdir()
    findings = list(Locks(project, tmp_path / "copy").look_up())
    assert findings[0].state == State.UNKNOWN and "No such file" in findings[0].told
