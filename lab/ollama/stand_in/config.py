"""What the environment says; the variables are Ollama's own, LAB_MODEL_LIBRARY aside."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 11434
FOREVER = math.inf
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class SettingError(ValueError):
    """A variable or a field has a value that means nothing; the text says which."""


@dataclass(frozen=True)
class Config:
    """The settings.

    Attributes:
        host: address to listen on, or of the server to ask.
        port: its TCP port.
        models: directory of the models.
        library: URL of the directory that `pull` fetches from; empty when there is none.
        keep_alive_s: how long a model stays loaded after its last use.
        context: size of the context, in tokens.
    """

    host: str
    port: int
    models: Path
    library: str
    keep_alive_s: float
    context: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the process's environment, or `environ`.

        Raises:
            SettingError: a variable has a value that means nothing.
        """
        environ = os.environ if environ is None else environ
        host, port = parse_host(environ.get("OLLAMA_HOST", ""))
        models = environ.get("OLLAMA_MODELS") or str(Path.home() / ".ollama" / "models")
        context = environ.get("OLLAMA_CONTEXT_LENGTH") or "2048"
        if not context.isdecimal() or not int(context):
            raise SettingError(f"OLLAMA_CONTEXT_LENGTH must be a number of tokens, not {context!r}")
        return cls(
            host,
            port,
            Path(models),
            environ.get("LAB_MODEL_LIBRARY", ""),
            parse_duration(environ.get("OLLAMA_KEEP_ALIVE") or "5m"),
            int(context),
        )

    @property
    def url(self) -> str:
        """Where a client on this machine finds the server."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"


def parse_host(text: str) -> tuple[str, int]:
    """Read OLLAMA_HOST: host, host:port or :port, with or without http://.

    Raises:
        SettingError: the port is no number.
    """
    address = text.strip().removeprefix("http://").rstrip("/")
    host, colon, port = address.rpartition(":")
    if not colon:
        host, port = port, str(DEFAULT_PORT)
    if not port.isdecimal() or int(port) > 65_535:
        raise SettingError(f"OLLAMA_HOST must be host:port, not {text!r}")
    return host or "127.0.0.1", int(port)


def parse_duration(value: object) -> float:
    """Return seconds: a number of them, or a duration as Go writes it ("5m", "1h30m"); negative is forever.

    Raises:
        SettingError: it is neither.
    """
    text = str(value).strip()
    try:
        seconds = float(text)
    except ValueError:
        parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
        if not parts or "".join(number + unit for number, unit in parts) != text.removeprefix("-"):
            raise SettingError(f"keep_alive must be a duration such as 5m, not {text!r}") from None
        seconds = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
        if text.startswith("-"):
            seconds = -seconds
    if math.isnan(seconds):
        raise SettingError("keep_alive must be a duration such as 5m")
    return FOREVER if seconds < 0 else seconds
