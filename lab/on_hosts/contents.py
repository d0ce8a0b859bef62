"""Run on a host with the system's Python: print what it holds, as digests that tell two machines apart.

Usage: python3 contents.py < ORDER, with ORDER in JSON, each key as needed:
    {"database": SQLite file, "log": its table of what was said, "trees": [directories], "models": a URL}
Prints {"digests": {name: sha256}, "log": [[session, question, at]]}. The log is not among the digests.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import urllib.request
from pathlib import Path
from typing import Any


def database(path: str, log: str) -> tuple[dict[str, str], list[list[str]]]:
    """Return the digest of each table but the log, and the log."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [name for (name,) in connection.execute(query) if name != log]
        digests = {}
        for table in tables:
            rows = sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"')))  # noqa: S608 - its own names
            digests[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        query = f'SELECT session, question, at FROM "{log}"'  # noqa: S608 - its own name
        said = [list(row) for row in connection.execute(query)]
    return digests, said


def tree(root: str) -> dict[str, str]:
    """Return the digest of each file of a directory; hidden ones, as records with times, do not count."""
    digests = {}
    for path in sorted(path for path in Path(root).rglob("[!.]*") if path.is_file()):
        with path.open("rb") as file:
            digests[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def models(url: str) -> dict[str, str]:
    """Return the digest of each language model, as Ollama tells it."""
    with urllib.request.urlopen(f"{url}/api/tags", timeout=10) as reply:  # noqa: S310 - our own URL
        return {model["name"]: model["digest"] for model in json.load(reply)["models"]}


def main() -> None:
    """Print what the order asks for."""
    order: dict[str, Any] = json.load(sys.stdin)
    digests: dict[str, str] = {}
    said: list[list[str]] = []
    if "database" in order:
        digests, said = database(order["database"], order["log"])
    for root in order.get("trees", []):
        digests |= tree(root)
    if "models" in order:
        digests |= models(order["models"])
    json.dump({"digests": digests, "log": said}, sys.stdout)


main()
