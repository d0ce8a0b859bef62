"""Back ends of a household's proxy: each tells what it was asked, and its WebSocket repeats what it is told.

Usage: python back_ends.py ADDRESS NAME=PORT[=CERTIFICATE] ...

One with a certificate, a file with its key, speaks TLS.
"""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
POLL_S = 0.02  # so quickly does one end


class BackEnd(ThreadingHTTPServer):
    """A server that runs from the start, in a thread of its own; port 0 is any that is free."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, name: str, address: tuple[str, int] = ("127.0.0.1", 0), certificate: str | Path = ""
    ) -> None:
        super().__init__(address, Handler)
        self.name = name
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(POLL_S,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is none of a back end's affair."""


class Handler(BaseHTTPRequestHandler):
    """Answers every request with what it is, and who answers."""

    protocol_version = "HTTP/1.1"
    server: BackEnd

    def answer(self) -> None:
        """Answer a request, or what a WebSocket is told until it is closed."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.headers.get("Upgrade", "").lower() == "websocket":
            key = self.headers.get("Sec-WebSocket-Key", "") + WEBSOCKET
            accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - RFC 6455's
            self.wfile.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: %s\r\n\r\n" % accepted.encode()
            )
            while line := self.rfile.readline():
                self.wfile.write(self.server.name.encode() + b" hears " + line)
            self.close_connection = True
            return
        headers = sorted((name.lower(), value) for name, value in self.headers.items())
        told = {"who": self.server.name, "asked": self.requestline, "headers": headers, "bytes": len(body)}
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_OPTIONS = answer  # noqa: N815 - the library asks for these names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Run what the command line names until the process is ended."""
    address, *named = sys.argv[1:]
    for name, port, *certificate in (word.split("=") for word in named):
        BackEnd(name, (address, int(port)), *certificate)
    signal.pause()


if __name__ == "__main__":
    main()
