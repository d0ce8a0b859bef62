"""What the gateway does otherwise on Windows, as far as another system can show it; the rest: tests/wine."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from types import ModuleType

import pytest

from hal.gateway.main import loop_factory, on_signals


@pytest.fixture
def windows(monkeypatch):
    """Say that this is Windows."""
    monkeypatch.setattr(sys, "platform", "win32")


@pytest.fixture
def handlers(monkeypatch):
    """Return the handlers that are installed by signal number, and let none be installed."""
    installed = {}
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(signal, "signal", installed.__setitem__)
    return installed


def test_windows_runs_winloop(windows, monkeypatch):
    winloop = ModuleType("winloop")
    winloop.new_event_loop = asyncio.new_event_loop
    monkeypatch.setitem(sys.modules, "winloop", winloop)
    assert loop_factory() is winloop.new_event_loop


def test_windows_without_winloop_runs_the_systems_loop_and_says_so(windows, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "winloop", None)
    with caplog.at_level(logging.WARNING):
        assert loop_factory() is None
    assert "without winloop" in caplog.text


async def test_every_console_event_of_windows_stops_from_outside_the_loop(windows, handlers):
    stopped = asyncio.Event()
    on_signals(stopped.set)
    assert handlers.keys() == {signal.SIGINT, signal.SIGTERM, 21}
    for number, handler in handlers.items():
        await asyncio.to_thread(handler, number, None)  # the loop sleeps meanwhile and must be woken
        await asyncio.wait_for(stopped.wait(), 5)
        stopped.clear()


async def test_a_loop_that_takes_any_handler_is_not_trusted_with_them_on_windows(
    windows, handlers, monkeypatch
):
    taken = []
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", lambda *call: taken.append(call))
    on_signals(lambda: None)
    assert taken == [] and handlers
