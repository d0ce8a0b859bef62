"""Whether the gateway can serve, for load balancers and people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Protocol

from hal.shared.breaker import Failover

CACHE_S = 1.0  # several balancers and monitors may ask at once


class Backend(Protocol):
    """A back end that can be asked how it is."""

    failover: Failover

    async def probe(self, address: str) -> bool:
        """Tell whether the back end at `address` is ready."""


class Readiness:
    """Asks the back ends how they are, at most once a second."""

    def __init__(self, required: Backend, optional: Sequence[Backend]) -> None:
        self._required = required
        self._backends = (required, *optional)
        self._lock = asyncio.Lock()
        self._asked_at = -CACHE_S
        self._states: dict[str, dict[str, str]] = {}

    async def report(self, *, draining: bool) -> tuple[bool, dict[str, Any]]:
        """Return (ready, report). The gateway is ready when it can reach the records."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= CACHE_S:
                self._states = await self._probe_all()
                self._asked_at = time.monotonic()
        has_records = "up" in self._states[self._required.failover.name].values()
        complete = all("up" in addresses.values() for addresses in self._states.values())
        status = (
            "draining"
            if draining
            else "not ready"
            if not has_records
            else "ready"
            if complete
            else "degraded"
        )
        return has_records and not draining, {"status": status, "backends": self._states}

    async def _probe_all(self) -> dict[str, dict[str, str]]:
        pairs = [(backend, address) for backend in self._backends for address in backend.failover.addresses]
        results = await asyncio.gather(*(backend.probe(address) for backend, address in pairs))
        states: dict[str, dict[str, str]] = {backend.failover.name: {} for backend in self._backends}
        for (backend, address), is_up in zip(pairs, results, strict=True):
            states[backend.failover.name][address] = "up" if is_up else "down"
        return states
