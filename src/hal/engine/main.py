"""The command hal-engine: `hal-engine` serves, `hal-engine init [--sample]` prepares the database.

It serves the listener's protocol to a gateway, or with HAL_ENGINE_MODE=phantom the clients themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hal.engine import database
from hal.engine.clock import Clock, clock_in, time_zone
from hal.engine.engine import EMERGENCY_NUMBER, Engine
from hal.engine.listener import Listener
from hal.shared.settings import EXIT_BAD_SETTINGS, load, setup_logging

if TYPE_CHECKING:
    from hal.engine.phantom import PhantomSettings

PREFIX = "HAL_ENGINE_"
PHANTOM = "phantom"
MODES = ("listener", PHANTOM)


class Server(Protocol):
    """What serves in either mode."""

    async def stop(self) -> None:
        """Let what is in progress finish, and close."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where to listen, the database, the household's time zone and emergency number, bounds on callers."""

    database: Path
    mode: str = MODES[0]
    timezone: str = ""
    emergency_number: str = EMERGENCY_NUMBER
    host: str = "127.0.0.1"
    port: int = 8767
    timeout_s: float = 5.0
    max_connections: int = 256

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode must be {' or '.join(MODES)}, not {self.mode!r}")


def load_settings() -> EngineSettings | PhantomSettings:
    """Read the settings of the mode that is asked for; ends the program when they are wrong."""
    if os.environ.get(f"{PREFIX}MODE", "").strip() != PHANTOM:
        return load(EngineSettings, PREFIX)
    try:
        from hal.engine.phantom import PhantomSettings  # noqa: PLC0415 (a listener needs no WebSocket)
    except ImportError as error:
        sys.exit(f"hal-engine: phantom mode needs the packages of the extra hal[phantom]: {error}")
    return load(PhantomSettings, PREFIX)


async def start_server(engine: Engine, settings: EngineSettings | PhantomSettings) -> Server:
    """Start what the mode asks for and return it.

    Raises:
        OSError: the address cannot be bound.
        ValueError: in phantom mode, the tokens file or the certificate is unreadable or malformed.
    """
    if not isinstance(settings, EngineSettings):
        from hal.engine.phantom import Phantom  # noqa: PLC0415 (nor this)

        phantom = Phantom(engine, settings)
        await phantom.start()
        return phantom
    listener = Listener(engine.answer, timeout_s=settings.timeout_s, max_connections=settings.max_connections)
    await listener.start(settings.host, settings.port)
    return listener


async def serve(settings: EngineSettings | PhantomSettings, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT, then let callers in progress finish."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine = Engine(settings.database, clock, settings.emergency_number)
    engine.start()
    try:
        server = await start_server(engine, settings)
        await stop.wait()
        await server.stop()
    finally:
        await engine.close()


def initialise(path: Path, *, sample: bool, today: date) -> list[str]:
    """Create the tables and, if asked, load the sample household; return what changed.

    Raises:
        DatabaseError: the database cannot be opened or is damaged.
    """
    with closing(database.connect(path)) as connection:
        database.require_sound(connection)
        done = ["created"] if database.create(connection) else []
        if sample and database.load_sample(connection, today):
            done.append("loaded")
    return done or ["unchanged"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a fault is one sentence: exit 1 of the database or the port, 2 of the settings."""
    parser = argparse.ArgumentParser(
        prog="hal-engine", description="The stand-in for OpenQM behind the voice listener."
    )
    commands = parser.add_subparsers(dest="command")
    init = commands.add_parser("init", help="create the database; prints created, loaded or unchanged")
    init.add_argument(
        "--sample", action="store_true", help="load the sample household if there are no records"
    )
    init.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day that the sample's dates are counted from (default today)",
    )
    options = parser.parse_args(arguments)
    settings = load_settings()
    setup_logging()
    os.umask(0o077)  # the records are private
    try:
        clock = clock_in(time_zone(settings.timezone))
        if options.command == "init":
            today = options.as_of or clock().date()
            print("\n".join(initialise(settings.database, sample=options.sample, today=today)))
        else:
            asyncio.run(serve(settings, clock))
    except sqlite3.Error as error:
        sys.exit(f"hal-engine: {database.explained(error)}")
    except (database.DatabaseError, OSError) as error:
        sys.exit(f"hal-engine: {error}")
    except ValueError as error:
        print(f"hal-engine: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_SETTINGS)


if __name__ == "__main__":
    main()
