# SPDX-License-Identifier: Apache-2.0
"""What cron runs on a host, without the arguments, which can have passwords. Timers are units."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from ansible.module_utils.reading.host import Host

TABLES = "/etc/cron.d"
SYSTEM_TABLE = "/etc/crontab"
ANACRON_TABLE = "/etc/anacrontab"
PEOPLES_TABLES = "/var/spool/cron/crontabs"
DIRECTORIES = ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")
ENTRY = re.compile(r"\s*(?P<when>@\w+|(?:[\w*][\w,*/~-]*\s+){4}[\w*][\w,*/~-]*)\s+(?P<rest>\S.*)")
ANACRON_ENTRY = re.compile(r"\s*(?P<when>(?:\d+|@\w+)\s+\d+)\s+\S+\s+(?P<rest>\S.*)")  # days, minutes, name
# A variable that is set for a command, such as a password with blanks between quotes.
SETTING = re.compile(r"""\s*\w+=(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*(?:\s+|$)""")


def read(host: Host) -> list[dict[str, Any]]:
    """Return what nobody's package brought and HAL did not write: [{path, user, when, program}]."""
    found = []
    for path in [SYSTEM_TABLE, ANACRON_TABLE, *host.files(TABLES)]:
        if not host.path(path).exists() or host.is_packaged(path) or host.is_ours(path):
            continue
        by_anacron = path == ANACRON_TABLE  # whose lines name no user
        for when, rest in _entries(host.text(path), ANACRON_ENTRY if by_anacron else ENTRY):
            user, command = ("root", rest) if by_anacron else [*rest.split(None, 1), ""][:2]
            found.append({"path": path, "user": user, "when": when, "program": _program(command)})
    for path in host.files(PEOPLES_TABLES):
        for when, command in _entries(host.text(path)):
            user = PurePosixPath(path).name
            found.append({"path": path, "user": user, "when": when, "program": _program(command)})
    for directory in DIRECTORIES:
        for path in host.files(directory):
            if not path.endswith("/.placeholder") and not host.is_packaged(path) and not host.is_ours(path):
                when = directory.rpartition(".")[2]
                found.append(
                    {"path": path, "user": "root", "when": when, "program": PurePosixPath(path).name}
                )
    return found


def _entries(text: str, entry: re.Pattern[str] = ENTRY) -> list[tuple[str, str]]:
    """Return when each line runs something, and the rest of it."""
    return [(match["when"], match["rest"]) for match in map(entry.match, text.splitlines()) if match]


def _program(command: str) -> str:
    """Return the program that a command begins with, without settings before it and without arguments."""
    while setting := SETTING.match(command):
        command = command[setting.end() :]
    word = (command.split() or [""])[0]
    return word if "=" not in word.split("/")[0] else ""  # quotes that do not end could have a password
