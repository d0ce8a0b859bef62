"""Where the client's settings come from: options, then the environment."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from hal.client.errors import UsageError
from hal.shared.settings import SettingsError, parse

PREFIX = "HAL_"
MAX_TIMEOUT_S = 3600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to reach HAL.

    Attributes:
        gateway_url: the gateway's WebSocket, such as ws://qm1:8768 or wss://haproxy.
        speech_url: base of the text-to-speech service, such as https://haproxy; empty means none.
        token_file: file that holds this device's token; without it, none is sent.
        ca_file: certificate authority that signed the servers' certificates; without it, the system's.
        timeout: how long an answer may take, in seconds.
        health_report: the report of the network's checks, or its directory; - is standard input. Without it,
            that of the checkout which the current directory is in.
    """

    gateway_url: str = ""
    speech_url: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout: float = 60.0
    health_report: Path | None = None

    def __post_init__(self) -> None:
        check_url("HAL_GATEWAY_URL", self.gateway_url, ("ws", "wss"))
        check_url("HAL_SPEECH_URL", self.speech_url, ("http", "https"))
        if not 0 < self.timeout <= MAX_TIMEOUT_S:
            raise ValueError(f"HAL_TIMEOUT must be from 0 to {MAX_TIMEOUT_S:g} seconds, not {self.timeout:g}")

    def require_gateway(self) -> str:
        """Return the gateway's URL.

        Raises:
            UsageError: none is set.
        """
        if not self.gateway_url:
            raise UsageError(
                "No gateway is set: pass --url ws://HOST:8768, or run `source network_config.sh` first."
            )
        return self.gateway_url

    def require_speech(self) -> str:
        """Return the base URL of the text-to-speech service, without a slash at its end.

        Raises:
            UsageError: none is set.
        """
        if not self.speech_url:
            raise UsageError("No text-to-speech service is set: set HAL_SPEECH_URL, such as https://haproxy.")
        return self.speech_url.rstrip("/")

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that identify this device.

        Raises:
            UsageError: the token file cannot be read, is empty, or holds more than one word.
        """
        if self.token_file is None:
            return {}
        words = _read_token(self.token_file).split()
        if len(words) != 1 or not words[0].isascii():
            raise UsageError(f"The token file {self.token_file} must hold one token and nothing else.")
        if self.gateway_url.startswith("ws:"):
            logger.warning("the token crosses the network unprotected; use a wss:// URL")
        return {"Authorization": f"Bearer {words[0]}"}

    def tls(self) -> ssl.SSLContext:
        """Return how to verify servers: by the project's own certificate authority if one is set.

        Raises:
            UsageError: the certificate authority's file is missing or is none.
        """
        encrypted = any(url.startswith(("wss:", "https:")) for url in (self.gateway_url, self.speech_url))
        if not encrypted:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read the system's authorities takes 0.05 s
        if self.ca_file is None:
            return ssl.create_default_context()
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError as error:
            raise UsageError(f"The CA file {self.ca_file} is not a certificate in PEM form.") from error
        except OSError as error:
            raise UsageError(f"Cannot read the CA file {self.ca_file}: {error.strerror}.") from error


def load_settings(options: Mapping[str, str], environ: Mapping[str, str]) -> ClientSettings:
    """Gather the settings: an option wins over the environment.

    Arguments:
        options: values by variable name, those given on the command line.
        environ: the process's environment; other HAL_ variables in it are left alone.

    Raises:
        UsageError: a value makes no sense.
    """
    try:
        return parse(ClientSettings, PREFIX, {**environ, **options}, ignore=["*"])
    except SettingsError as error:
        raise UsageError(f"{error}.") from error


def check_url(name: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    """Split a URL; empty is allowed.

    Raises:
        ValueError: it has another scheme, no host or an impossible port.
    """
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in schemes and parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:
        wanted = " or ".join(f"{scheme}://HOST[:PORT]" for scheme in schemes)
        raise ValueError(f"{name} must be {wanted}, not {url!r}")
    return parts


def _read_token(path: Path) -> str:
    """Return what stands in the file of a token."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"Cannot read the token file {path}: {reason}.") from error
