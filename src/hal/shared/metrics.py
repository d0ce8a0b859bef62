"""What services count, for Prometheus: each in a registry of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hal.protocol import Intent

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STAGE_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_INTENTS = frozenset(Intent)


class Metrics:
    """A service's metrics. Labels come from closed sets: a peer cannot make new series."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def render(self) -> str:
        """Return all metrics in the Prometheus text format, `CONTENT_TYPE`."""
        return generate_latest(self.registry).decode()


class GatewayMetrics(Metrics):
    """What every server of clients counts, also where the records serve clients themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions = Gauge("hal_gateway_sessions", "Sessions open now", registry=self.registry)
        self.refused = Counter(
            "hal_gateway_refused", "Connections refused", ["reason"], registry=self.registry
        )
        self.protocol_errors = Counter(
            "hal_gateway_protocol_errors", "Frames that could not be understood", registry=self.registry
        )
        self.turns = Counter(
            "hal_gateway_turns", "Turns answered", ["intent", "status"], registry=self.registry
        )
        self.stage_seconds = Histogram(
            "hal_gateway_stage_seconds",
            "Duration of a turn's stages",
            ["stage"],
            buckets=_STAGE_BUCKETS_S,
            registry=self.registry,
        )
        self.backend_failures = Counter(
            "hal_gateway_backend_failures",
            "Failed calls of a back end",
            ["backend", "kind"],
            registry=self.registry,
        )
        self._breakers = Gauge(
            "hal_gateway_breaker_open",
            "1 while calls of the address are held back",
            ["backend", "address"],
            registry=self.registry,
        )

    def watch_breaker(self, backend: str, address: str, is_open: Callable[[], bool]) -> None:
        """Report `is_open()` for this address whenever the metrics are read."""
        self._breakers.labels(backend, address).set_function(lambda: float(is_open()))

    def count_turn(self, intent: str, status: str) -> None:
        """Count an answered turn."""
        self.turns.labels(intent if intent in _INTENTS else "OTHER", status).inc()
