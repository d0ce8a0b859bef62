"""Back ends at two addresses, one of which is gone: it neither refuses a connection nor breaks one off."""

from __future__ import annotations

import asyncio

import pytest

from hal.shared import breaker
from hal.shared.breaker import FAILURE_THRESHOLD, BackendError, BreakerState, CircuitBreaker, Failover
from hal.shared.metrics import GatewayMetrics


class Network:
    """Addresses, of which those in `gone` say nothing, and those in `slow` nothing until some probes came."""

    def __init__(self):
        self.gone = set()
        self.slow = set()
        self.asked = []
        self.probed = []
        self.first_asked = asyncio.Event()
        self.hurried = asyncio.Event()

    async def attempt(self, address):
        self.asked.append(address)
        self.first_asked.set()
        if address in self.gone:
            await asyncio.Event().wait()
        if address in self.slow:
            await self.hurried.wait()
        return address

    async def probe(self, address):
        self.probed.append(address)
        if len(self.probed) >= 5:
            self.hurried.set()
        return address not in self.gone

    def failover(self, *addresses):
        return Failover("x", addresses, GatewayMetrics(), self.probe)


@pytest.fixture
async def network(monkeypatch):
    monkeypatch.setattr(breaker, "WATCH_EVERY_S", 0.001)
    return Network()


async def test_a_question_in_flight_at_a_host_that_dies_is_answered_by_the_other(network):
    network.gone = {"a"}
    assert await network.failover("a", "b").call(network.attempt, 60) == "b"
    assert (network.asked, network.probed) == (["a", "b"], ["a", "a"])


async def test_a_host_that_is_slow_and_there_is_waited_for(network):
    network.slow = {"a"}
    assert await network.failover("a", "b").call(network.attempt, 60) == "a"
    assert network.asked == ["a"] and len(network.probed) >= 5


async def test_a_host_without_a_twin_is_left_in_peace(network):
    network.gone = {"a"}
    with pytest.raises(BackendError, match="longer than"):
        await network.failover("a").call(network.attempt, 0.05)
    assert (network.asked, network.probed) == (["a"], [])


async def test_a_host_that_was_gone_is_asked_again_only_once_it_is_there(network, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(breaker, "CircuitBreaker", lambda: CircuitBreaker(clock=lambda: clock[0]))
    network.gone = {"a"}
    failover = network.failover("a", "b")
    for _ in range(FAILURE_THRESHOLD):
        assert await failover.call(network.attempt, 60) == "b"
    network.asked.clear()
    clock[0] += 60
    assert await failover.call(network.attempt, 60) == "b"
    assert network.asked == ["b"]
    network.gone = set()
    clock[0] += 60
    assert await failover.call(network.attempt, 60) == "a"
    assert failover._breakers["a"].state is BreakerState.CLOSED


async def test_who_stops_asking_leaves_nothing_running(network):
    network.gone = {"a", "b"}
    asking = asyncio.create_task(network.failover("a", "b").call(network.attempt, 60))
    await network.first_asked.wait()
    before = asyncio.all_tasks()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert asyncio.all_tasks() < before


async def test_the_first_that_asks_after_an_outage_costs_the_others_nothing(network, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(breaker, "CircuitBreaker", lambda: CircuitBreaker(clock=lambda: clock[0]))
    network.gone = {"a"}
    failover = network.failover("a")
    for _ in range(FAILURE_THRESHOLD):
        with pytest.raises(BackendError):
            await failover.call(network.attempt, 0.01)
    network.gone = set()
    with pytest.raises(BackendError, match="no address is available"):
        await failover.call(network.attempt, 60)
    clock[0] += 60
    network.probed.clear()
    assert await asyncio.gather(*(failover.call(network.attempt, 60) for _ in range(3))) == ["a", "a", "a"]
    assert network.probed == ["a"]
