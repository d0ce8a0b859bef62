"""Circuit breaker and fail-over: what keeps one dead host from costing every turn its time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from hal.shared.metrics import GatewayMetrics

FAILURE_THRESHOLD = 3
RESET_AFTER_S = 5.0
CONNECT_ATTEMPTS = 2
RETRY_DELAY_S = 0.1
WATCH_EVERY_S = 1.0
PROBES_MISSED = 2

type Probe = Callable[[str], Awaitable[bool]]


class BackendError(Exception):
    """A back end did not do its work; the text is for the log."""

    kind = "error"


class Unreachable(BackendError):
    """No connection could be made: nothing was asked, so it is safe to try again."""

    kind = "unreachable"


class Rejected(BackendError):
    """The back end is well and refuses this request; another one would refuse it too."""

    kind = "rejected"


class NotReady(BackendError):
    """The back end is there and on its way to do its work; it is no failure that opens a breaker."""

    kind = "not_ready"


class BreakerState(StrEnum):
    """Closed lets calls pass, open refuses them, half-open lets one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after some failures in a row, and lets one call try again after a while."""

    def __init__(
        self,
        *,
        threshold: int = FAILURE_THRESHOLD,
        reset_after_s: float = RESET_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._reset_after_s = reset_after_s
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands now."""
        if self._failures < self._threshold:
            return BreakerState.CLOSED
        waited = self._clock() - self._opened_at >= self._reset_after_s
        return BreakerState.HALF_OPEN if waited and not self._probing else BreakerState.OPEN

    def is_open(self) -> bool:
        """Tell whether calls are held back, except perhaps one to see."""
        return self.state is not BreakerState.CLOSED

    def enter(self) -> bool:
        """Ask to make a call; False means not now. Each call that may be made must be settled."""
        state = self.state
        if state is BreakerState.HALF_OPEN:
            self._probing = True
        return state is not BreakerState.OPEN

    def readmit(self) -> None:
        """Let every call pass again: the back end is there. The next failure opens the breaker at once."""
        self._probing = False
        self._failures = self._threshold - 1

    def settle(self, succeeded: bool | None) -> None:
        """Report how a call ended; None says nothing about the back end (it was cancelled)."""
        self._probing = False
        if succeeded:
            self._failures = 0
        elif succeeded is False:
            self._failures += 1
            self._opened_at = self._clock()


class Failover:
    """One back end at one or several addresses: the first that works answers.

    With `probe`, which tells whether an address is there at all, one that has failed is probed before it is
    asked again, and all calls that come meanwhile wait for that. The next of several addresses is asked as
    soon as one is gone. A host that has lost power does not refuse a connection, and breaks none off.
    """

    def __init__(
        self, name: str, addresses: Sequence[str], metrics: GatewayMetrics, probe: Probe | None = None
    ) -> None:
        self.name = name
        self._probe = probe
        self._watch = probe if len(addresses) > 1 else None
        self._looks: dict[str, asyncio.Task[None]] = {}
        self.addresses = tuple(addresses)
        self._metrics = metrics
        self._breakers = {address: CircuitBreaker() for address in addresses}
        for address, breaker in self._breakers.items():
            metrics.watch_breaker(name, address, breaker.is_open)

    async def call[T](
        self,
        attempt: Callable[[str], Awaitable[T]],
        timeout_s: float,
        is_begun: Callable[[], bool] = lambda: False,
    ) -> T:
        """Run `attempt(address)` until one address answers; each has `timeout_s` seconds.

        Once `is_begun()` the answer is in part with whoever asked, and no other address is asked.

        Raises:
            Rejected: a back end refused the request itself.
            NotReady: none answered, and one will soon.
            BackendError: none answered.
        """
        failure: BackendError = Unreachable(f"{self.name}: no address is available")
        for address, breaker in self._breakers.items():
            await self._look(address, breaker)
            if not breaker.enter():
                continue
            outcome: bool | None = None
            try:
                result = await self._attempt(attempt, address, timeout_s)
                outcome = True
                return result
            except Rejected:
                outcome = True
                raise
            except NotReady as error:
                failure = error
            except BackendError as error:
                outcome = False
                failure = failure if isinstance(failure, NotReady) else error
                if is_begun():
                    break
            finally:
                breaker.settle(outcome)
        raise failure

    async def _look(self, address: str, breaker: CircuitBreaker) -> None:
        """See whether an address that failed is back, if it is time; whoever else asks waits for the same."""
        look = self._looks.get(address)
        if look is None:
            if self._probe is None or breaker.state is not BreakerState.HALF_OPEN:
                return
            look = self._looks[address] = asyncio.ensure_future(
                self._probe_again(address, breaker, self._probe)
            )
            look.add_done_callback(lambda _: self._looks.pop(address))
        await asyncio.shield(look)

    async def _probe_again(self, address: str, breaker: CircuitBreaker, probe: Probe) -> None:
        if await probe(address):
            breaker.readmit()
        else:
            breaker.settle(False)

    async def _attempt[T](self, attempt: Callable[[str], Awaitable[T]], address: str, timeout_s: float) -> T:
        """Ask one address, again when no connection could be made, within one time limit."""
        try:
            async with asyncio.timeout(timeout_s):
                for remaining in range(CONNECT_ATTEMPTS - 1, -1, -1):
                    try:
                        return await self._watched(attempt, address)
                    except Unreachable:
                        if not remaining or self._watch:
                            raise
                        await asyncio.sleep(RETRY_DELAY_S)
        except TimeoutError as error:
            self._metrics.backend_failures.labels(self.name, "timeout").inc()
            raise BackendError(f"{self.name} at {address} took longer than {timeout_s:g} s") from error
        except BackendError as error:
            self._metrics.backend_failures.labels(self.name, error.kind).inc()
            raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _watched[T](self, attempt: Callable[[str], Awaitable[T]], address: str) -> T:
        """Ask one address, and give it up when it is gone while another could answer."""
        if self._watch is None:
            return await attempt(address)
        asking = asyncio.ensure_future(attempt(address))
        missed = 0
        try:
            while missed < PROBES_MISSED:
                await asyncio.wait([asking], timeout=WATCH_EVERY_S)
                if asking.done():
                    return asking.result()
                missed = 0 if await self._watch(address) else missed + 1
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        raise BackendError(f"{self.name} at {address} was asked, and is gone")
