"""What one address may take of a server, so that it takes nothing from the others.

Connections and sessions are counted; handshakes, frames and bytes are metered by token buckets. An address is
one of IPv4, or a /64 of IPv6, which is what one household or machine has.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field

from hal.shared.addresses import parse_address

FORGET_AFTER_S = 120.0
FRAMES_PER_SECOND = 2_000  # of an address: its microphones send 31 each
BURST_FRAMES = 8_000
BYTES_PER_SECOND = 4 * 2**20
BURST_BYTES = 16 * 2**20
WRONG_TOKENS = 20  # at once, and in a minute


class TokenBucket:
    """Lets through `burst` at once and `rate` a second after that. A rate of 0 lets everything through."""

    def __init__(self, clock: Callable[[], float], rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def delay(self, amount: float = 1) -> float:
        """Take an amount and return how many seconds to wait before taking more."""
        if not self._rate:
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def is_empty(self) -> bool:
        """Tell whether there is less than 1 to take."""
        return self.delay(0) > 0 or (self._rate > 0 and self._tokens < 1)

    def refuses(self) -> bool:
        """Take 1 if there is as much; tell whether there was not."""
        if self.is_empty():
            return True
        self.delay()
        return False


@dataclass(slots=True)
class Source:
    """What an address has and does now."""

    handshakes: TokenBucket
    frames: TokenBucket
    bytes: TokenBucket
    wrong_tokens: TokenBucket
    connections: int = 0
    sessions: int = 0
    seen_at: float = field(default=0.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one address may have; 0 is no limit."""

    connections: int = 0
    sessions: int = 0
    handshakes_per_minute: int = 0


class Sources:
    """The addresses that connect now or did a short while ago."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._swept_at = clock()
        self.open = 0  # connections of all addresses

    def of(self, address: str) -> Source:
        """Return what an address has."""
        now = self._clock()
        if now - self._swept_at > FORGET_AFTER_S:
            self._swept_at = now
            for name, old in list(self._sources.items()):
                if not old.connections and now - old.seen_at > FORGET_AFTER_S:
                    del self._sources[name]
        key = source_of(address)
        if key not in self._sources:
            rate = self.limits.handshakes_per_minute
            self._sources[key] = Source(
                TokenBucket(self._clock, rate / 60, rate),
                TokenBucket(self._clock, FRAMES_PER_SECOND, BURST_FRAMES),
                TokenBucket(self._clock, BYTES_PER_SECOND, BURST_BYTES),
                TokenBucket(self._clock, WRONG_TOKENS / 60, WRONG_TOKENS),
            )
        self._sources[key].seen_at = now
        return self._sources[key]


class Place:
    """What one connection takes of the room for all, and of that for its address.

    Args:
        sources: the addresses that are known.
        limit: connections that the server has at most.
    """

    def __init__(self, sources: Sources, limit: int) -> None:
        self._sources = sources
        self._limit = limit
        self._is_open = False
        self._has_session = False
        self.source: Source | None = None  # the address that it is counted as one of

    def take(self) -> bool:
        """Count the connection; tell whether the server has room for it."""
        if not self._is_open:
            self._is_open = True
            self._sources.open += 1
        return self._sources.open <= self._limit

    def count_as(self, address: str) -> bool:
        """Count the connection as one of an address; tell whether that address may have it."""
        if self.source:
            return True
        source = self._sources.of(address)
        limits = self._sources.limits
        if 0 < limits.connections <= source.connections or source.handshakes.refuses():
            return False
        source.connections += 1
        self.source = source
        return True

    def begin_session(self) -> bool:
        """Count a session; tell whether the address may have one more."""
        limit = self._sources.limits.sessions
        if self.source and limit and self.source.sessions >= limit:
            return False
        if self.source:
            self.source.sessions += 1
            self._has_session = True
        return True

    def leave(self) -> None:
        """Count the connection no more."""
        if self._is_open:
            self._is_open = False
            self._sources.open -= 1
        if self.source:
            self.source.connections -= 1
            self.source.sessions -= self._has_session
            self.source = None


def source_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address or the /64 of an IPv6 one."""
    parsed = parse_address(address)
    if parsed is None:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
