"""A web server on loopback whose faults a test chooses, for what fetches large files."""

from __future__ import annotations

import http.server
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils import fetching
from production.pins.finding import Finding
from production.pins.inventory import Pins
from tests.unit.artifacts.publishers import GITHUB, ONE_PIN, REST, LookUp, Publishers, publish


class Web:
    """What the server has and how it behaves.

    Attributes:
        files: content by path.
        requests: (path, Range header or "") of every request, in order.
        break_after: of the next answers, each sends only so many bytes.
        ranges: whether it can send parts.
        pace: seconds that each MiB takes it.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.break_after: list[int] = []
        self.ranges = True
        self.pace = 0.0
        self.url = ""


@contextmanager
def serve() -> Iterator[Web]:
    """Serve until the test ends."""
    web = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            web.requests.append((self.path, asked))
            content = web.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and web.ranges else 0
            if begin and begin >= len(content):
                self.send_error(416)
                return
            body = content[begin:]
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(body)))
            if web.ranges:
                self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            body = body[: web.break_after.pop(0)] if web.break_after else body
            with suppress(ConnectionError):  # the other side has enough for now
                for start in range(0, len(body), 1 << 20):
                    time.sleep(web.pace)
                    self.wfile.write(body[start : start + (1 << 20)])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A server with no files yet."""
    with serve() as served:
        yield served


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every 10 kB of a download take a second."""
    seconds = itertools.count()
    monkeypatch.setattr(fetching, "CHUNK_BYTES", 10_000)
    monkeypatch.setattr(fetching, "time", SimpleNamespace(monotonic=lambda: next(seconds)))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the file system have so many bytes free."""

    def fill(free: int) -> None:
        monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    return fill


@pytest.fixture
def publishers() -> Iterator[Publishers]:
    """Publishers that have nothing yet."""
    with publish() as told:
        yield told


@pytest.fixture
def rest_server(tmp_path: Path, publishers: Publishers) -> LookUp:
    """Look the REST server up alone, with these releases on GitHub."""
    variables = tmp_path / "inventory/group_vars/all"
    variables.mkdir(parents=True)
    (variables / "programs.yml").write_text(ONE_PIN)

    def look(releases: Any = None, **limits: Any) -> Finding:
        if releases is not None:
            publishers.say(GITHUB.format(REST), releases)
        ((_, finding),) = Pins(tmp_path / "inventory", publishers.web(**limits)).look_up()
        return finding

    return look
