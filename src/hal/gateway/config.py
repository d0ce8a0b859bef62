"""What the gateway is told by its environment (`HAL_GATEWAY_…`)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hal.protocol import ACTIVE_TIMEOUT_MS, FOLLOW_UP_MS

PREFIX = "HAL_GATEWAY_"
FOREIGN_VARIABLES = ("HAL_GATEWAY_URL",)  # a client's variable that shares the prefix


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a session listens, in milliseconds: after the wake word, and after an answer."""

    active_ms: int = ACTIVE_TIMEOUT_MS
    follow_up_ms: int = FOLLOW_UP_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """What every server of clients is told: where it listens, who may connect, and its bounds.

    Attributes:
        host: address to listen on.
        port: WebSocket port; 0 lets the system choose.
        extra_port: a second port for clients that hard-code one; 0 is off.
        trusted_networks: networks (CIDR) whose clients need no token.
        trusted_proxies: networks whose X-Forwarded-For is believed.
        allowed_origins: web origins whose pages may connect without a token, besides the server's own.
        tokens_file: lines of "name sha256hex", one for each device.
        max_sessions: sessions at a time; one more is refused with close code 1013.
        turn_timeout_s: limit for a whole turn.
        listener_timeout_s: limit for one exchange with the listener.
        drain_timeout_s: how long turns in flight may take once the server is told to stop.
    """

    host: str = "0.0.0.0"  # noqa: S104 - clients on the network are served; admission and firewall decide who
    port: int = 8768
    extra_port: int = 0
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    trusted_proxies: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    tokens_file: Path | None = None
    max_sessions: int = 200
    turn_timeout_s: float = 60.0
    listener_timeout_s: float = 10.0
    drain_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        _check_ports(self, "port", "extra_port")
        if self.extra_port and self.extra_port == self.port:
            raise ValueError("extra_port must differ from port")
        _check_positive(self, "max_sessions", "turn_timeout_s", "listener_timeout_s")
        for name in ("trusted_networks", "trusted_proxies"):
            for network in getattr(self, name):
                try:
                    ipaddress.ip_network(network)
                except ValueError as error:
                    raise ValueError(
                        f"{name}: {network!r} is not a network such as 10.1.0.0/16 ({error})"
                    ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SocketSettings):
    """The gateway's settings; each is the variable HAL_GATEWAY_<FIELD>. Times are in seconds.

    Attributes:
        listener_host: where the QM voice listener or the engine answers.
        listener_port: its TCP port.
        speech_urls: bases of the speech services, in order of preference.
        speech_language: the language spoken, or "auto".
        ollama_urls: bases of the language model's servers, in order of preference.
        ollama_model: the model that answers general questions.
        speech_timeout_s: limit for one transcription.
        ollama_timeout_s: limit for one answer of the language model.
    """

    listener_host: str = "127.0.0.1"
    listener_port: int = 8767
    speech_urls: tuple[str, ...] = ()
    speech_language: str = "en"
    ollama_urls: tuple[str, ...] = ()
    ollama_model: str = ""
    speech_timeout_s: float = 30.0
    ollama_timeout_s: float = 55.0

    def __post_init__(self) -> None:
        SocketSettings.__post_init__(self)  # super() does not know a class that was made anew for its slots
        _check_ports(self, "listener_port")
        _check_positive(self, "speech_timeout_s", "ollama_timeout_s")
        for name in ("speech_urls", "ollama_urls"):
            for url in getattr(self, name):
                if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                    raise ValueError(f"{name}: {url!r} is not an http(s) address such as http://ubuai:9000")
        if self.ollama_urls and not self.ollama_model:
            raise ValueError("ollama_model must name the model to use when ollama_urls is set")


def _check_ports(settings: SocketSettings, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(settings, name) <= 65_535:
            raise ValueError(f"{name} must be between 0 and 65535")


def _check_positive(settings: SocketSettings, *names: str) -> None:
    for name in names:
        if not getattr(settings, name) > 0:
            raise ValueError(f"{name} must be greater than 0")
