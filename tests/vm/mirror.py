"""Answer one connection of the virtual machine's apt from the controller's own package mirrors.

QEMU starts this for each connection that the machine makes to its proxy, with the connection as standard
input. No port is opened for it, and the machine reaches nothing else: only what begins with an address of a
mirror is fetched, by apt's own downloader, which knows the controller's proxies, certificates and passwords.

Usage: mirror.py SOURCES    the apt sources of the machine's image
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

DOWNLOADER = "/usr/lib/apt/apt-helper"


def mirrored(address: str, sources: str) -> str | None:
    """Return what is fetched for an address, with its mirror's own scheme; None if no mirror has it."""
    for mirror in re.findall(r"https?://\S+", sources):
        inside = mirror.partition("://")[2].rstrip("/") + "/"
        path = address.removeprefix(f"http://{inside}")
        if path != address and ".." not in path.split("/"):
            return f"{mirror.rstrip('/')}/{path}"
    return None


class Handler(BaseHTTPRequestHandler):
    """A proxy that knows the mirrors alone."""

    protocol_version = "HTTP/1.1"
    sources = ""

    def do_GET(self) -> None:
        """Fetch a file, then send it: apt's downloader writes whole files."""
        address = mirrored(self.path, self.sources)
        if address is None:
            self.send_error(403, "Not a mirror of the controller")
            return
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "file"
            fetch = [DOWNLOADER, "download-file", address, file]
            if subprocess.run(fetch, capture_output=True, check=False).returncode:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as content:
                shutil.copyfileobj(content, self.wfile)

    def log_message(self, *_: object) -> None:
        """Say nothing: QEMU hands the connection on as standard error, too."""


if __name__ == "__main__":
    Handler.sources = Path(sys.argv[1]).read_text()
    Handler(socket.socket(fileno=sys.stdin.fileno()), ("virtual machine", 0), None)  # type: ignore[arg-type]
