"""What is checked, and how a check says that it failed."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field, fields
from typing import Any


class CheckFailed(Exception):
    """The service is not as it should be; the text says what is wrong."""


@dataclass(frozen=True)
class Target:
    """One check.

    Attributes:
        name: the service.
        kind: how it is checked; the name of a function of this package.
        host: the host that is checked, by name.
        address: where it is reached, IPv4.
        port: TCP port.
        expect: `open`, or `closed` for a flow that must not be possible.
        tls: whether the service encrypts.
        ca_file: PEM of the authority that its certificate is checked with; the system's own by default.
        path: what is asked for over HTTP.
        question: what the gateway is asked, as text; none by default.
        audio: a spoken question, a WAV file in base64; none by default.
        expect_words: words that the answer must hold.
        models: language models that must be there.
        windows: whether the host runs Windows, for the advice in messages.
        timeout: seconds for the whole check.
    """

    name: str
    kind: str
    host: str
    address: str
    port: int
    expect: str = "open"
    tls: bool = False
    ca_file: str = ""
    path: str = "/"
    question: str = ""
    audio: str = ""
    expect_words: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    windows: bool = False
    timeout: float = 10.0

    @classmethod
    def from_options(cls, options: dict[str, Any], timeout: float) -> Target:
        """Read a check as the catalogue's filter writes it; keys that no check knows are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{"timeout": timeout, **{key: value for key, value in options.items() if key in known}})

    @property
    def where(self) -> str:
        """Address and port, for messages."""
        return f"{self.address}:{self.port}"

    def connect(self) -> socket.socket:
        """Return a connection, encrypted if the service encrypts. Raises OSError."""
        connection = socket.create_connection((self.address, self.port), timeout=self.timeout)
        if not self.tls:
            return connection
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            return context.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise

    def require_words(self, text: str) -> None:
        """Raise CheckFailed if a word that must be in an answer is not."""
        missing = [word for word in self.expect_words if word.lower() not in text.lower()]
        if missing:
            raise CheckFailed(f"the answer lacks {', '.join(missing)}: {text[:120]!r}")
