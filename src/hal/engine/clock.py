"""The household's clock: which day a question was asked on, where the records are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hal.protocol import agreed_moment

type Clock = Callable[[], datetime]

MACHINES_ZONE = Path("/etc/localtime")


def time_zone(name: str) -> tzinfo:
    """Return the time zone of a name such as Europe/Berlin; without a name the machine's own.

    Raises:
        ValueError: there is no such zone on this machine.
    """
    try:
        if name:
            return ZoneInfo(name)
        with MACHINES_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (ZoneInfoNotFoundError, IsADirectoryError, ValueError) as error:
        raise ValueError(
            f"there is no time zone {name!r} on this machine; write it as Europe/Berlin, and install tzdata"
        ) from error
    except FileNotFoundError:
        return UTC


def clock_in(zone: tzinfo) -> Clock:
    """Return a clock that tells the time of a zone."""
    return lambda: datetime.now(zone)


def household_time(asked_at: datetime | None, clock: Clock) -> datetime:
    """Return when a question was asked, as the records hold times: local, without a zone.

    Arguments:
        asked_at: what the caller says. Without a zone it is the household's own time already.
        clock: the household's.
    """
    if asked_at is not None and asked_at.tzinfo is None:
        return asked_at
    now = clock()
    return agreed_moment(asked_at, now).astimezone(now.tzinfo).replace(tzinfo=None)
