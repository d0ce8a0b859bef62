"""`hal-wyoming`: serve Home Assistant until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from hal.shared.settings import EXIT_BAD_SETTINGS, load, setup_logging
from hal.wyoming.server import WyomingServer
from hal.wyoming.settings import PREFIX, WyomingSettings

log = logging.getLogger(__name__)

EXIT_FAILURE = 1


def main() -> None:
    """Run the service; exit 0 after a stop that was asked for, 1 on a failure, 2 on bad settings."""
    settings = load(WyomingSettings, PREFIX)
    setup_logging()
    sys.exit(asyncio.run(run(settings)))


async def run(settings: WyomingSettings) -> int:
    """Serve until a signal comes; return the exit code."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        server = WyomingServer(settings)
        await server.start()
    except ValueError as error:
        log.critical("%s", error)
        return EXIT_BAD_SETTINGS
    except OSError as error:
        log.critical("cannot listen on %s: %s", settings.host, error)
        return EXIT_FAILURE
    await stopped.wait()
    await server.stop()
    log.info("stopped")
    return 0
