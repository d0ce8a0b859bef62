"""What the speech service counts."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from hal.shared.metrics import Metrics

_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class SpeechMetrics(Metrics):
    """The speech service's metrics."""

    def __init__(self, *, ready: Callable[[], bool], places: Callable[[], int]) -> None:
        super().__init__()
        self.requests = Counter(
            "hal_speech_requests",
            "Requests for speech, by outcome",
            ["endpoint", "status"],
            registry=self.registry,
        )
        self.transcription_seconds = Histogram(
            "hal_speech_transcription_seconds",
            "Duration of a transcription, waiting included",
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "hal_speech_audio_seconds", "Audio transcribed, in seconds", registry=self.registry
        )
        Gauge("hal_speech_model_ready", "1 when the model is loaded", registry=self.registry).set_function(
            lambda: float(ready())
        )
        Gauge(
            "hal_speech_requests_in_progress", "Requests waiting or at work", registry=self.registry
        ).set_function(places)
