"""What the modules that keep downloads share: fetching one file, verified, and on from where it broke off."""

from __future__ import annotations

import hashlib
import http.client
import shutil
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

TIMEOUT_S = 30
TRIES = 4
CHUNK_BYTES = 1 << 20
RANGE_NOT_SATISFIABLE = 416


class FetchError(Exception):
    """Something cannot be fetched, or is not what was declared; the text says which and what to do."""


class _BrokeOff(Exception):
    """The connection ended before the file did."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(url: str, accept: str, limit: int = 1 << 20) -> bytes:
    """Return what an address answers, at most `limit` bytes. Raises FetchError if it does not."""
    try:
        with open_url(url, headers={"Accept": accept}, timeout=TIMEOUT_S, follow_redirects="all") as reply:
            return bytes(reply.read(limit))
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{url} cannot be fetched: {error}") from error


def fetch(url: str, target: Path, checksum: str) -> None:
    """Download a file, so that it is there whole and verified or not at all.

    What an earlier try, or an interrupted run, has fetched is not fetched again.

    Args:
        url: where it is.
        target: where it belongs; its directory is made.
        checksum: its SHA-256 in hexadecimal.

    Raises:
        FetchError: it is out of reach, or another file than declared.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{checksum[:12]}.partial")
    for attempt in range(1, TRIES + 1):
        try:
            _continue(url, partial)
            break
        except HTTPError as error:
            if error.code != RANGE_NOT_SATISFIABLE:
                raise FetchError(f"{url} cannot be fetched: {error}") from error
            break  # all of it is there, or something longer, which the checksum tells
        except (OSError, http.client.HTTPException, _BrokeOff) as error:
            if attempt == TRIES:
                raise FetchError(
                    f"{url} cannot be fetched: {error}. The next run goes on where this one stopped."
                ) from error
    if (actual := sha256(partial)) != checksum:
        partial.unlink()
        raise FetchError(
            f"{url} is another file than declared: its SHA-256 is {actual}, not {checksum}. "
            "If it was published anew and you trust it, declare the new checksum in the inventory."
        )
    partial.replace(target)


def _continue(url: str, partial: Path) -> None:
    """Fetch what is missing of a file, or all of it from a server that cannot send a part."""
    begun = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={begun}-"} if begun else {}
    with open_url(url, headers=headers, timeout=TIMEOUT_S, follow_redirects="all") as reply:
        continues = reply.status == http.client.PARTIAL_CONTENT
        length = reply.headers.get("Content-Length")
        with partial.open("ab" if continues else "wb") as file:
            shutil.copyfileobj(reply, file, CHUNK_BYTES)
            size = file.tell()
    expected = int(length) + (begun if continues else 0) if length else size
    if size < expected:
        raise _BrokeOff(f"the connection ended after {size} of {expected} bytes")
