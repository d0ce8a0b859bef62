"""Names of time zones, and which of them this computer is in."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from pathlib import Path

UTC = "UTC"
LOCAL = Path("/etc/localtime")


def known_zones() -> frozenset[str]:
    """Return UTC and every zone of a country, by the names that each release of tzdata has.

    Older names, such as US/Pacific, are left out: Debian 13 and Ubuntu 24.04 have them in another package.
    """
    tables = (Path(place, "zone.tab") for place in zoneinfo.TZPATH)
    lines = [line for table in tables if table.is_file() for line in table.read_text().splitlines()]
    named = [line.split("\t")[2].strip() for line in lines if not line.startswith("#")]
    return frozenset({UTC, *(named or zoneinfo.available_timezones())})


def computers_zone() -> str:
    """Return the zone of this computer, UTC if it has none by a name that is known."""
    name = str(LOCAL.resolve()).rpartition("/zoneinfo/")[2]  # a Mac has it below /var/db/timezone
    return name if name in known_zones() else UTC


def zone_faults(zone: object) -> Iterator[str]:
    """Find why a zone cannot be the household's; an empty one leaves each host its own."""
    if zone and zone not in known_zones():
        yield f"network_timezone is {zone!r}; it must be a zone such as Europe/Berlin, or UTC"
