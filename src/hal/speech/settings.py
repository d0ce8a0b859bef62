"""What the speech service is told by its environment (`HAL_SPEECH_…`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

from hal.shared.settings import check_not_negative, check_ports, check_positive

PREFIX = "HAL_SPEECH_"
FOREIGN_VARIABLES = ("HAL_SPEECH_URL",)  # a client's variable that shares the prefix


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """The service's settings; each is the variable HAL_SPEECH_<FIELD>. Times are in seconds.

    Attributes:
        model: directory of a Whisper model in CTranslate2's format, or the name of one to download.
        model_name: what the service calls the model; the last part of `model` unless set.
        host: address to listen on.
        own_names: names and addresses under which callers may ask; "*.example.org" is all that end so.
        allowed_origins: web origins whose pages may ask, besides the service's own.
        port: TCP port; 0 lets the system choose.
        device: "cpu", "cuda", or "auto": an NVIDIA GPU if there is one that works, or else the processor.
        compute_type: number format of the model, as CTranslate2 names it ("int8", "float16", …); "auto" is
            the fastest that the device knows.
        cpu_threads: threads of one transcription on a CPU; many short recordings are served best by
            one thread each and several workers.
        workers: transcriptions at a time.
        queue: requests that may wait for a worker; one more is refused.
        max_audio_bytes: size of the largest recording accepted, before base64.
        max_audio_s: duration of the longest recording accepted.
        upload_timeout_s: limit for receiving a request's body.
        min_confidence: of 0 to 1; words of which the model is less sure are left out, see
            Transcript.without_guesses.
        tts_url: base of Piper's HTTP server; empty is off.
        tts_timeout_s: limit for one synthesis.
        drain_timeout_s: how long requests in flight may take once the service is told to stop.
    """

    model: str
    model_name: str = ""
    host: str = "0.0.0.0"  # noqa: S104 - the gateway and the proxy are other hosts; the firewall decides who
    port: int = 9000
    own_names: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    device: str = "cpu"
    compute_type: str = "int8"
    cpu_threads: int = 1
    workers: int = 2
    queue: int = 16
    max_audio_bytes: int = 25_000_000
    max_audio_s: float = 600.0
    upload_timeout_s: float = 30.0
    min_confidence: float = 0.49
    tts_url: str = "http://127.0.0.1:5000"
    tts_timeout_s: float = 30.0
    drain_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        check_ports(self, "port")
        if self.device not in ("cpu", "cuda", "auto"):
            raise ValueError(f'device must be "cpu", "cuda" or "auto", not {self.device!r}')
        check_not_negative(self, "queue", "cpu_threads", "drain_timeout_s")
        if not 0 <= self.min_confidence < 1:
            raise ValueError("min_confidence must be at least 0 and less than 1")
        check_positive(self, "workers", "max_audio_bytes", "max_audio_s", "upload_timeout_s", "tts_timeout_s")
        if self.tts_url and (
            urlsplit(self.tts_url).scheme not in ("http", "https") or not urlsplit(self.tts_url).hostname
        ):
            raise ValueError(
                f"tts_url: {self.tts_url!r} is not an http(s) address such as http://127.0.0.1:5000"
            )

    @property
    def name(self) -> str:
        """What the service calls its model."""
        return self.model_name or PurePath(self.model).name
