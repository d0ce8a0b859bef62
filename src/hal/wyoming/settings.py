"""What the Wyoming service is told by its environment (`HAL_WYOMING_…`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hal.shared.settings import check_ports, check_positive

PREFIX = "HAL_WYOMING_"
_PORTS = ("stt_port", "tts_port", "assistant_port")


@dataclass(frozen=True, slots=True, kw_only=True)
class WyomingSettings:
    """The service's settings; each is the variable HAL_WYOMING_<FIELD>. Times are in seconds.

    Attributes:
        speech_url: base of the speech service.
        gateway_urls: addresses of the gateways, in order of preference.
        ca_file: PEM of the authority that vouches for those of wss; the system's own unless it is set.
        host: address to listen on.
        stt_port: TCP port of speech recognition; 0 lets the system choose, likewise the next.
        tts_port: of text to speech.
        assistant_port: of the assistant.
        language: the language spoken, as an ISO 639-1 code.
        timeout_s: limit for one request to the speech service or the gateway.
        max_connections: connections of all kinds at a time; one more is closed.
    """

    speech_url: str
    gateway_urls: tuple[str, ...]
    ca_file: Path | None = None
    host: str = "0.0.0.0"  # noqa: S104 - Home Assistant is another host; the firewall decides who
    stt_port: int = 10300
    tts_port: int = 10200
    assistant_port: int = 10600
    language: str = "en"
    timeout_s: float = 60.0
    max_connections: int = 64

    def __post_init__(self) -> None:
        check_ports(self, *_PORTS)
        chosen = [getattr(self, name) for name in _PORTS if getattr(self, name)]
        if len(set(chosen)) != len(chosen):
            raise ValueError("stt_port, tts_port and assistant_port must differ")
        check_positive(self, "timeout_s", "max_connections")
        for name, schemes, urls in (
            ("speech_url", ("http", "https"), (self.speech_url,)),
            ("gateway_urls", ("ws", "wss"), self.gateway_urls),
        ):
            if not urls or not all(
                urlsplit(url).scheme in schemes and urlsplit(url).hostname for url in urls
            ):
                raise ValueError(
                    f"{name} must be {' or '.join(schemes)} addresses, such as {schemes[0]}://qm1"
                )
