"""Servers that do as a test says: whole ones and broken ones, each on a real port."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from websockets.sync.server import ServerConnection, serve

type Answer = Callable[[socket.socket], object]


@contextlib.contextmanager
def tcp_server(answer: Answer) -> Iterator[int]:
    """Answer each connection with a function, side by side, and yield the port."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def loop() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=one, args=[connection], daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def http_server(answers: dict[str, tuple[int, bytes]]) -> Iterator[int]:
    """Answer each path with a status and a body, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = answers.get(self.path, (404, b"not here"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def websocket_server(talk: Callable[[ServerConnection], object], **options: Any) -> Iterator[int]:
    """Serve WebSocket connections with a function, and yield the port."""
    with serve(talk, "127.0.0.1", 0, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]
        server.shutdown()


def stay(connection: socket.socket) -> None:
    """Wait until the other side has gone."""
    while connection.recv(65536):
        pass


def silent(connection: socket.socket) -> None:
    """Take whatever comes and say nothing."""
    stay(connection)


def dripping(connection: socket.socket) -> None:
    """Say one byte after the other, for ever: there is always something, and never enough."""
    connection.settimeout(0.02)
    connection.sendall(b"HTTP/1.1 200 ")
    while True:
        connection.sendall(b"x")
        with contextlib.suppress(TimeoutError):
            connection.recv(65536)


def garbage(connection: socket.socket) -> None:
    """Answer what no protocol knows."""
    connection.recv(65536)
    connection.sendall(b"\x00\xff{[not json\r\n\r\n" * 20)


def mail(connection: socket.socket) -> None:
    """Speak another protocol, in which the server begins."""
    connection.sendall(b"220 mail.example ESMTP\r\n")
    connection.recv(65536)


def half_closed(connection: socket.socket) -> None:
    """Close the sending half at once, and go on listening."""
    connection.recv(65536)
    connection.shutdown(socket.SHUT_WR)
    stay(connection)


def resetting(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def halfway(said: bytes) -> Answer:
    """Return what says this much of an answer and then closes."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    return answer
