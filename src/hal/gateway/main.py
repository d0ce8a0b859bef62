"""`hal-gateway`: run the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from hal.gateway.gateway import Gateway
from hal.gateway.settings import FOREIGN_VARIABLES, PREFIX, GatewaySettings
from hal.shared.settings import EXIT_BAD_SETTINGS, load, setup_logging

log = logging.getLogger(__name__)

EXIT_FAILURE = 1


def main() -> None:
    """Run the gateway; exit 0 after a stop that was asked for, 1 on a failure, 2 on bad settings."""
    settings = load(GatewaySettings, PREFIX, ignore=FOREIGN_VARIABLES)
    setup_logging()
    sys.exit(asyncio.run(run(settings), loop_factory=loop_factory()))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: libuv's, which costs less; None, without it, is the system's own."""
    try:
        if sys.platform == "win32":
            import winloop as libuv  # noqa: PLC0415 (no other system has it)
        else:
            import uvloop as libuv  # noqa: PLC0415 (nor has Windows this)
    except ImportError as error:
        if sys.platform == "win32":
            log.warning("without winloop a reset connection can close the port for good: %s", error)
        return None
    return libuv.new_event_loop


async def run(settings: GatewaySettings) -> int:
    """Serve until a signal comes or the port dies; return the exit code."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    on_signals(lambda: end(0))
    loop.set_exception_handler(lambda _, context: on_loop_error(context, lambda: end(EXIT_FAILURE)))
    try:
        gateway = Gateway(settings)
        await gateway.start()
    except ValueError as error:
        log.critical("%s", error)
        return EXIT_BAD_SETTINGS
    except OSError as error:
        log.critical("cannot listen on %s, port %d: %s", settings.host, settings.port, error)
        return EXIT_FAILURE
    code = await ended
    log.info("stopping: %d sessions open", len(gateway.sessions))
    await gateway.stop()
    log.info("stopped")
    return code


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` in the loop when the system asks the process to end, on any system.

    On Windows Ctrl-C arrives as SIGINT, and Ctrl-Break, a closed console and a shutdown as SIGBREAK. There
    asyncio's loops refuse signal handlers, and winloop accepts all but installs only that of SIGINT.
    """
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)


def on_loop_error(context: dict[str, Any], fail: Callable[[], None]) -> None:
    """Log what the loop could not deliver, and fail if the listening socket is dead.

    On Windows a client that resets its connection before it is accepted closes the listener for
    good (CPython issue 93821); a service manager can only help a process that ends.
    """
    message = context.get("message", "")
    log.error("event loop: %s", message, exc_info=context.get("exception"))
    if message.startswith("Accept failed"):
        log.critical("the port no longer accepts connections; ending so that the service is restarted")
        fail()
