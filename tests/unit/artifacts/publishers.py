"""Publishers of what the inventory pins, stood in for on loopback in the form of their interfaces."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from production.pins.finding import Finding
from production.pins.web import Web

GITHUB = "/repos/{}/releases?per_page=50"
HOSTS = (
    "api.github.com",
    "github.com",
    "www.python.org",
    "cloud.debian.org",
    "registry.ollama.ai",
    "huggingface.co",
)


type Answer = tuple[int, dict[str, str], bytes]


class Publishers:
    """What is answered at each path, and what was asked.

    Attributes:
        pace: seconds before each byte of an answer.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.pace = 0.0
        self.url = ""

    def say(self, path: str, content: Any, code: int = 200, **headers: str) -> None:
        """Answer at a path, with JSON unless it is text or bytes."""
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        body = content if isinstance(content, bytes) else content.encode()
        self.answers[path] = (code, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def web(self, **limits: Any) -> Web:
        """Return what asks here in place of the real ones."""
        return Web({f"https://{host}": self.url for host in HOSTS}, **limits)


@contextmanager
def publish() -> Iterator[Publishers]:
    """Answer until the test ends."""
    told = Publishers()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            code, headers, body = told.answers.get(self.path, (404, {}, b"{}"))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                if not told.pace:
                    self.wfile.write(body)
                for start in range(len(body) if told.pace else 0):
                    time.sleep(told.pace)
                    self.wfile.write(body[start : start + 1])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def release(repository: str, version: str, *names: str, **other: Any) -> dict[str, Any]:
    """Return a release as GitHub tells it, each file with a digest of its name."""
    base = f"https://github.com/{repository}/releases/download/v{version}"
    assets = [
        {"name": name, "browser_download_url": f"{base}/{name}", "digest": f"sha256:{digest(name)}"}
        for name in names
    ]
    return {"tag_name": f"v{version}", "draft": False, "prerelease": False, "assets": assets} | other


REST = "restic/rest-server"
PINNED_NAME, NEW_NAME = (f"rest-server_{version}_linux_amd64.tar.gz" for version in ("0.14.0", "0.15.1"))
ONE_PIN = f"""\
# What the backup server fetches.
network_rest_server: # restic's server
  version: 0.14.0
  url: https://github.com/{REST}/releases/download/v0.14.0/{PINNED_NAME}
  checksum: sha256:{digest(PINNED_NAME)} # of the archive
after: "kept as it is"
"""

PINNED = release(REST, "0.14.0", PINNED_NAME)
NEW = release(REST, "0.15.1", NEW_NAME)

type LookUp = Callable[..., Finding]
