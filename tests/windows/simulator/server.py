"""The HTTPS server in front of a simulated host: TLS and basic authentication on loopback."""

from __future__ import annotations

import base64
import hmac
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from simulator.wsman import Endpoint, Interpreter


class Server:
    """A host that listens on a free port of loopback while the context lasts.

    Args:
        interpreter: What runs the scripts.
        user: The account of the connection.
        password: Its password.
        certificate: The server's certificate and key in one PEM file.
    """

    def __init__(self, interpreter: Interpreter, user: str, password: str, certificate: Path) -> None:
        endpoint = Endpoint(interpreter)
        # Shells are shared by the connections of a client, whose requests come one after the other.
        lock = threading.Lock()
        expected = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without it, an answer of two small packets waits for the client's delayed acknowledgement.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                given = self.headers.get("Authorization", "").encode()
                if not hmac.compare_digest(given, expected):
                    self._answer(401, b"")
                    return
                with lock:
                    status, answer = endpoint.answer(request)
                self._answer(status, answer)

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="WSMAN"')
                self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: object) -> None:
                """Stay quiet: the recording says what was asked."""

        self.endpoint = endpoint
        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.tls.load_cert_chain(certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext

    def finish_request(self, request: object, client_address: object) -> None:
        # In the connection's own thread, so that a client that refuses the certificate holds nobody up.
        with self.tls.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up, or refuses the certificate, is its own affair.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
