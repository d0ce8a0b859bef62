"""What the gateway is told by its environment (`HAL_GATEWAY_…`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hal.shared.settings import check_ports, check_positive
from hal.shared.socket_settings import SocketSettings

PREFIX = "HAL_GATEWAY_"
FOREIGN_VARIABLES = ("HAL_GATEWAY_URL",)  # a client's variable that shares the prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings(SocketSettings):
    """The gateway's settings; each is the variable HAL_GATEWAY_<FIELD>. Times are in seconds.

    Attributes:
        listener_host: where the QM voice listener or the engine answers.
        listener_port: its TCP port.
        speech_urls: bases of the speech services, in order of preference.
        speech_language: the language spoken, or "auto".
        ask_below_confidence: of 0 to 1; HAL asks whether it has heard right when speech recognition is less
            sure. Measured with the model tiny.en on 80 questions, clear and beside noise: of 50 that were
            understood word for word, 7 are asked back; of 30 that were not, 23 are asked back or left out.
        ollama_urls: bases of the language model's servers, in order of preference.
        ca_file: PEM of the authority that vouches for those that are asked over https; the system's own
            unless it is set.
        ollama_model: the model that answers general questions.
        speech_timeout_s: limit for one transcription.
        ollama_timeout_s: limit for one answer of the language model.
        ollama_load_wait_s: how long a question waits for a model that is being loaded; after that the person
            is told so, and it goes on loading.
    """

    listener_host: str = "127.0.0.1"
    listener_port: int = 8767
    speech_urls: tuple[str, ...] = ()
    speech_language: str = "en"
    ollama_urls: tuple[str, ...] = ()
    ollama_model: str = ""
    ca_file: Path | None = None
    ask_below_confidence: float = 0.58
    speech_timeout_s: float = 30.0
    ollama_timeout_s: float = 55.0
    ollama_load_wait_s: float = 5.0

    def __post_init__(self) -> None:
        SocketSettings.__post_init__(self)  # super() does not know a class that was made anew for its slots
        check_ports(self, "listener_port")
        check_positive(self, "speech_timeout_s", "ollama_timeout_s", "ollama_load_wait_s")
        if not 0 <= self.ask_below_confidence <= 1:
            raise ValueError("ask_below_confidence must be from 0 to 1")
        for name in ("speech_urls", "ollama_urls"):
            for url in getattr(self, name):
                if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                    raise ValueError(f"{name}: {url!r} is not an http(s) address such as http://ubuai:9000")
        if self.ollama_urls and not self.ollama_model:
            raise ValueError("ollama_model must name the model to use when ollama_urls is set")
