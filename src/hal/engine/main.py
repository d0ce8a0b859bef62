"""The command hal-engine: `hal-engine` serves, `hal-engine init [--sample]` prepares the database."""

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

from hal.engine import database
from hal.engine.engine import Clock, Engine, local_now
from hal.engine.server import Listener
from hal.settings import load, setup_logging

PREFIX = "HAL_ENGINE_"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where to listen, which database to read, and the bounds on callers."""

    database: Path
    host: str = "127.0.0.1"
    port: int = 8767
    timeout_s: float = 5.0
    max_connections: int = 256


async def serve(settings: EngineSettings, clock: Clock = local_now) -> None:
    """Serve until SIGTERM or SIGINT, then let callers in progress finish."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine = Engine(settings.database, clock)
    engine.start()
    listener = Listener(engine.answer, timeout_s=settings.timeout_s, max_connections=settings.max_connections)
    try:
        await listener.start(settings.host, settings.port)
        await stop.wait()
        await listener.stop()
    finally:
        await engine.close()


def initialise(path: Path, *, sample: bool, today: date) -> list[str]:
    """Create the tables and, if asked, load the sample household; return what changed.

    Raises:
        DatabaseError: the database cannot be opened.
    """
    with closing(database.connect(path)) as connection:
        done = ["created"] if database.create(connection) else []
        if sample and database.load_sample(connection, today):
            done.append("loaded")
    return done or ["unchanged"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits 1 with one sentence when the database or the port cannot be used."""
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
    settings = load(EngineSettings, PREFIX)
    setup_logging()
    os.umask(0o077)  # the records are private
    try:
        if options.command == "init":
            today = options.as_of or local_now().date()
            print("\n".join(initialise(settings.database, sample=options.sample, today=today)))
        else:
            asyncio.run(serve(settings))
    except (database.DatabaseError, sqlite3.Error, OSError) as error:
        sys.exit(f"hal-engine: {error}")


if __name__ == "__main__":
    main()
