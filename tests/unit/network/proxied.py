"""Real back ends, a real HAProxy, and questions that are asked of it: what a household's proxy answers."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.asker import trusting
from cryptography import x509
from lab.on_hosts.back_ends import BackEnd
from tests.ports import free_port
from tests.templates import rendered

from hal.network.authority import Authority
from hal.network.sites import proxy_sites

WAIT_S = 15
UNVERIFIED = trusting()  # tests compare the certificate
SITE = "blog.example.org"
# What a process that is no service and perhaps not root's cannot have.
OWN_ONLY = re.compile(
    r"^\s+(?:user haproxy|group haproxy|chroot|stats socket|log /dev|daemon).*\n", re.MULTILINE
)
IGNORED = {"date", "connection"}  # whether a refused body was still on its way decides the latter


def render(variables: Mapping[str, Any], directory: Path) -> str:
    """Return the configuration that the role writes, with HAL's certificate beside it.

    Args:
        variables: the role's variables besides its defaults.
        directory: where `hal.pem` is.
    """
    tokens = variables.get("haproxy_tokens", {}).values()
    digests = [f"{hashlib.sha256(token.encode()).hexdigest()}\n" for token in tokens]
    (directory / "hal.tokens").write_text("".join(digests))
    for template in ("hal.list", "haproxy.cfg"):
        text = rendered("haproxy", template, variables)
        text = re.sub(r"/etc/haproxy/(?:certificates/)?(hal|metrics)\.", rf"{directory}/\1.", text)
        (directory / template.replace("haproxy", "rendered")).write_text(text)
    return (directory / "rendered.cfg").read_text()


@contextmanager
def haproxy(configuration: str, directory: Path, *ports: int) -> Iterator[int]:
    """Run HAProxy with a configuration, which its own checker must accept, and yield its process's number."""
    file = directory / "haproxy.cfg"
    file.write_text(OWN_ONLY.sub("", configuration))
    checked = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr + file.read_text()
    output = (directory / "haproxy.log").open("w")

    process = subprocess.Popen(["haproxy", "-db", "-f", file], stdout=output, stderr=output)
    try:
        end = time.monotonic() + WAIT_S
        for port in ports:
            while not _listens(port):
                assert time.monotonic() < end, (
                    f"nothing listens on {port}: {(directory / 'haproxy.log').read_text()}"
                )
                time.sleep(0.02)
        assert process.poll() is None, (directory / "haproxy.log").read_text()
        yield process.pid
    finally:
        process.kill()
        process.wait()
        output.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _connection(port: int, name: str, *, tls: bool, **how: Any) -> tuple[socket.socket, str]:
    """Return a connection and the name of the certificate that was shown."""
    address, source = how.get("address", "127.0.0.1"), how.get("source")
    plain = socket.create_connection((address, port), WAIT_S, source_address=(source, 0) if source else None)
    if not tls:
        return plain, ""
    encrypted = UNVERIFIED.wrap_socket(plain, server_hostname=name)
    shown = x509.load_der_x509_certificate(encrypted.getpeercert(binary_form=True) or b"")
    return encrypted, shown.subject.rfc4514_string()


def ask(port: int, name: str, path: str, *, tls: bool, **how: Any) -> dict[str, Any]:
    """Return what is answered to a request: certificate, status, headers and body.

    Args:
        port: where the proxy listens.
        name: the host that is asked for, by SNI, too.
        path: the path.
        tls: whether it is asked with TLS.
        how: `method`, `body`, `headers`, `source`, the address that asks, `address`, that of the proxy, and
            `attempts`, how often it is asked until there is an answer.
    """
    try:
        stream, certificate = _connection(port, name, tls=tls, **how)
    except (ssl.SSLError, ConnectionError) as error:
        return {"refused": type(error).__name__}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.sock = stream
    headers: Mapping[str, str] = {"Host": name, "User-Agent": "test"} | how.get("headers", {})
    try:
        connection.request(how.get("method", "GET"), path, how.get("body"), dict(headers))
        answer = connection.getresponse()
        content = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        attempts = how.get("attempts", 5)
        if attempts > 1:  # a refusal can be lost when the rest of the body is still on its way
            return ask(port, name, path, tls=tls, **how | {"attempts": attempts - 1})
        return {"certificate": certificate, "broken": type(error).__name__}
    finally:
        connection.close()
    found = sorted((key.lower(), value) for key, value in answer.getheaders() if key.lower() not in IGNORED)
    return {"certificate": certificate, "status": answer.status, "headers": found, "body": content}


def ask_websocket(port: int, name: str, *, tls: bool, **how: Any) -> dict[str, Any]:
    """Return what a WebSocket repeats; `how` may name the `address` of the proxy."""
    stream, certificate = _connection(port, name, tls=tls, **how)
    with stream:
        stream.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {name}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = stream.recv(4096)
        first = head.partition(b"\r\n")[0].decode()
        said = head.partition(b"\r\n\r\n")[2] if " 101 " in first else b""
        if " 101 " in first:
            stream.sendall(b"hello\n")
            while not said.endswith(b"\n") and (more := stream.recv(4096)):
                said += more
    return {"certificate": certificate, "first": first, "said": said.decode()}


def ask_raw(port: int, said: bytes) -> str:
    """Return how what is neither HTTP nor TLS is answered, up to its first line."""
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as stream:
        stream.settimeout(WAIT_S)
        try:
            stream.sendall(said)
            return stream.recv(4096).split(b"\r\n")[0].decode(errors="replace")
        except ConnectionError:
            return ""


class Proxy:
    """A proxy in front of HAL, called `haproxy`, and of a site of the household's, called SITE.

    HAL is a stand-in for speech, and for all but `/transcribe` a gateway, if the port of one is given.
    """

    def __init__(self, directory: Path, gateway: int = 0, **variables: Any) -> None:
        self.directory = directory
        self.process = 0  # once it is served
        self.tls, self.plain = free_port(), free_port()
        for file, name in (("hal.pem", "haproxy"), ("site.pem", SITE)):
            (directory / file).write_bytes(b"".join(Authority.create("Household").issue([name])))
        self.servers = [BackEnd("speech"), BackEnd("blog")]
        speech, blog = (server.server_port for server in self.servers)
        services = {"proxy_https": {"group": "proxies", "port": self.tls, "frontend": "https"}}
        sites = [{"name": "blog", "names": [SITE], "servers": [{"address": "127.0.0.1", "port": blog}]}]
        routes = [{"path": "/", "backend": "speech"}]
        server = {"name": "ubuai", "address": "127.0.0.1", "port": speech}
        backends = [{"name": "speech", "kind": "http", "health": "/health", "servers": [server]}]
        if gateway:
            routes = [{"path": "/transcribe", "backend": "speech"}, {"path": "/", "backend": "gateway"}]
            server = {"name": "qm1", "address": "127.0.0.1", "port": gateway}
            backends += [{"name": "gateway", "kind": "websocket", "health": "/readyz", "servers": [server]}]
        self.configuration = render(
            {
                "haproxy_frontends": [
                    {"name": "https", "port": self.tls, "tls": True, "routes": routes},
                    {"name": "plain", "port": self.plain, "routes": routes},
                ],
                "haproxy_backends": backends,
                "haproxy_own_names": ["haproxy"],
                "haproxy_sites": proxy_sites(sites, services),
                "haproxy_site_certificates": [{"path": str(directory / "site.pem")}],
            }
            | variables,
            directory,
        )

    @contextmanager
    def served(self) -> Iterator[Proxy]:
        """Run it, and end what is behind it, too."""
        try:
            with haproxy(self.configuration, self.directory, self.tls, self.plain) as self.process:
                yield self
        finally:
            for server in self.servers:
                server.shutdown()
                server.server_close()

    def status(self, source: str, name: str = "haproxy", *, tls: bool = True) -> Any:
        """Return the status of an answer, or how it was refused."""
        answer = ask(self.tls if tls else self.plain, name, "/", tls=tls, source=source, attempts=1)
        return answer.get("status", "refused")

    def asked(self, source: str, name: str) -> Any:
        """Return who answers."""
        return json.loads(ask(self.tls, name, "/", tls=True, source=source)["body"])["who"]
