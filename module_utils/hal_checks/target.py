"""What is checked, and the connections to it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from ansible.module_utils.hal_checks.result import CheckFailed

CONNECT_TIMEOUT_S = 5  # a SYN that was lost is sent again after 1 and 3 s
HAPROXY_SOCKET = "/run/haproxy/admin.sock"


@dataclass(frozen=True)
class Target:
    """One check.

    Attributes:
        name: the service.
        kind: how it is checked; a key of `runner.KINDS`.
        host: the host that is checked, by name.
        address: where it is reached, IPv4 or a name.
        port: TCP port; 0 for what is checked without one.
        expect: `open`, or `closed` for a flow that must not be possible.
        tls: whether the service encrypts.
        ca_file: PEM of the authority that its certificate is checked with; the system's own by default.
        path: what is asked for over HTTP.
        control_socket: HAProxy's, on this host; empty to read its statistics over HTTP instead.
        servers_up: whether every server behind HAProxy must be up.
        backends: HAProxy's back ends whose servers these are; all of them by default.
        question: what the gateway is asked, as text; none by default.
        token: with which the gateway is asked, where it asks for one.
        audio: a spoken question, a WAV file in base64; none by default.
        expect_words: words that the answer must hold.
        readiness: what the gateway must say of itself, `ready` or at least `degraded`; or `unasked`.
        models: language models that must be there.
        loaded: language models that must be in memory.
        generate: whether a language model must say something.
        gpu: whose GPU a model must be computed on, `nvidia` or `amd`; `auto` demands it where the
            check is the host's own and there is a GPU with its driver; empty or `none` demands none.
        own: whether the host that runs the check is the one that is checked.
        minimum_tokens_per_second: how fast a language model must answer; 0 is any.
        vendor: whose GPUs they are, `nvidia`, `amd` or `auto`.
        count: how many GPUs there must be at least.
        driver: what the GPU driver's version must begin with.
        python: a Python with CTranslate2, which must find a CUDA device; none by default.
        now: the time by the controller's clock, in seconds since 1970; 0 compares it with nothing.
        nameservers: addresses of the name servers of which one must answer.
        firewall: whether the host must have ufw run, and refuse what no rule names.
        limits: the highest good value by the names of `limits.LIMITS`.
        windows: whether the host runs Windows, for the advice in messages.
        unit: the systemd unit or Windows service that the service is there, for the same; may be empty.
        proxied: whether the host is the proxy before the service, which shows nobody that service's metrics.
        timeout: seconds for the whole check.
        minimum_certificate_days: how many days a certificate that is checked must have left.
        connect_ms: how long each connection took to be made, in milliseconds.
        certificate_days: how many days each certificate that was checked has left.
        over: set when the check's time is over.
    """

    name: str
    kind: str
    host: str
    address: str = ""
    port: int = 0
    expect: str = "open"
    tls: bool = False
    ca_file: str = ""
    path: str = "/"
    control_socket: str = HAPROXY_SOCKET
    servers_up: bool = True
    backends: list[str] = field(default_factory=list)
    question: str = ""
    token: str = field(default="", repr=False)
    audio: str = ""
    expect_words: list[str] = field(default_factory=list)
    readiness: str = "unasked"
    models: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    generate: bool = True
    gpu: str = ""
    own: bool = False
    minimum_tokens_per_second: float = 0.0
    vendor: str = "auto"
    count: int = 1
    driver: str = ""
    python: str = ""
    now: float = 0.0
    nameservers: list[str] = field(default_factory=list)
    firewall: bool = False
    limits: dict[str, float] = field(default_factory=dict)
    windows: bool = False
    unit: str = ""
    proxied: bool = False
    timeout: float = 10.0
    # So says the alert, too (monitoring_certificate_days). site.yml renews when a third of the time is left,
    # 273 days: whoever sees this has not run it for long, or has brought a certificate.
    minimum_certificate_days: float = 21.0
    certificate_days: list[float] = field(default_factory=list, init=False, repr=False, compare=False)
    connect_ms: list[float] = field(default_factory=list, init=False, repr=False, compare=False)
    over: threading.Event = field(default_factory=threading.Event, init=False, repr=False, compare=False)
    _open: list[socket.socket] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: dict[str, Any], timeout: float) -> Target:
        """Read a check as the catalogue's filter writes it; keys that no check knows are passed over."""
        known = {field.name for field in fields(cls) if field.init}
        given = {key: value for key, value in options.items() if key in known}
        if given.get("proxied"):
            limits = given.get("limits", {})
            given["limits"] = {name: limit for name, limit in limits.items() if name != "sessions"}
        return cls(**{"timeout": timeout, **given})

    @property
    def where(self) -> str:
        """Address and port, for messages."""
        return f"{self.address}:{self.port}"

    @property
    def patience(self) -> float:
        """Seconds to wait for a connection, however long the answer may take."""
        return min(self.timeout, CONNECT_TIMEOUT_S)

    def dial(self) -> socket.socket:
        """Return a TCP connection and note how long it took. Raises OSError."""
        began = time.perf_counter()
        connection = socket.create_connection((self.address, self.port), timeout=self.patience)
        connection.settimeout(self.timeout)
        self.connect_ms.append((time.perf_counter() - began) * 1000)
        self._open.append(connection)
        if self.over.is_set():
            connection.close()
            raise TimeoutError
        return connection

    def connect(self) -> socket.socket:
        """Return a connection, encrypted if the service encrypts. Raises OSError."""
        connection = self.dial()
        if not self.tls:
            return connection
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            encrypted = context.wrap_socket(connection, server_hostname=self.host)
            end = ssl.cert_time_to_seconds(str((encrypted.getpeercert() or {})["notAfter"]))
        except BaseException:
            connection.close()
            raise
        self._open[-1] = encrypted  # the plain one has given its descriptor away
        self.certificate_days.append((end - time.time()) / 86400)
        return encrypted

    @contextlib.contextmanager
    def deadline(self) -> Iterator[None]:
        """Set `over` when the check's time is over, and cut its connections off.

        A socket's own timeout begins anew with every byte: what drips would be waited for without end.
        """

        def cut() -> None:
            self.over.set()
            for connection in list(self._open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.timeout, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def require_words(self, text: str) -> None:
        """Raise CheckFailed if a word that must be in an answer is not."""
        missing = [word for word in self.expect_words if word.lower() not in text.lower()]
        if missing:
            raise CheckFailed(f"the answer lacks {', '.join(missing)}: {text[:120]!r}")
