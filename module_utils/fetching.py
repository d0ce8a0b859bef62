"""What the modules that keep downloads share: fetching one file, verified, and on from where it broke off."""

from __future__ import annotations

import http.client
import math
import shutil
import time
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.files import sha256
from ansible.module_utils.urls import open_url

TIMEOUT_S = 30
TRIES = 4
CHUNK_BYTES = 1 << 20
RESERVE_BYTES = 1 << 29  # a full disk stops more than a download
RANGE_NOT_SATISFIABLE = 416


class FetchError(Exception):
    """Something cannot be fetched, or is not what was declared; the text says which and what to do."""


class Unfinished(Exception):
    """The time is over; what is there stays, and the next call goes on.

    Attributes:
        here: bytes of the file that are there.
        size: bytes of the whole file.
    """

    def __init__(self, here: int, size: int) -> None:
        super().__init__(f"{here} of {size} bytes are there")
        self.here, self.size = here, size


class _BrokeOff(Exception):
    """The connection ended before the file did."""


def read(url: str, accept: str, limit: int = 1 << 20) -> bytes:
    """Return what an address answers, at most `limit` bytes. Raises FetchError if it does not."""
    try:
        with open_url(url, headers={"Accept": accept}, timeout=TIMEOUT_S, follow_redirects="all") as reply:
            return bytes(reply.read(limit))
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{url} cannot be fetched: {error}") from error


def deadline(seconds: float) -> float:
    """Return when so many seconds are over, as fetch() wants it; 0 stands for never."""
    return time.monotonic() + seconds if seconds else math.inf


def figure(name: str, here: int, size: int) -> str:
    """Return for people how much of something is there, such as "llama3:latest: 1.2 of 4.7 GB"."""
    unit, letter = (10**9, "G") if size >= 10**9 else (10**6, "M")
    return f"{name}: {here / unit:.1f} of {size / unit:.1f} {letter}B"


def require_space(directory: Path, needed: int, purpose: str) -> None:
    """Raise FetchError unless the file system of a directory has room for what is to be fetched.

    Args:
        directory: where it goes; it need not exist yet.
        needed: bytes that are still to be written.
        purpose: what for, such as "llama3:latest".
    """
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    if needed + RESERVE_BYTES > free:
        mount = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.is_mount())
        raise FetchError(
            f"There is not enough room for {purpose}: {needed / 2**30:.1f} GiB and a reserve of "
            f"{RESERVE_BYTES / 2**30:.1f} are needed on the file system of {mount}, and {free / 2**30:.1f} "
            "GiB are free. Make room there, or describe a larger disk (machine.disk_gib or "
            "machine.data_disks in hosts.yml); what was fetched stays, and the next run goes on."
        )


def partial_path(target: Path, checksum: str) -> Path:
    """Return where a file stands while only a part of it is there."""
    return target.with_name(f".{target.name}.{checksum[:12]}.partial")


def fetch(url: str, target: Path, checksum: str, until: float = math.inf) -> None:
    """Download a file, so that it is there whole and verified or not at all.

    What an earlier try, or an interrupted run, has fetched is not fetched again.

    Args:
        url: where it is.
        target: where it belongs; its directory is made.
        checksum: its SHA-256 in hexadecimal.
        until: the time.monotonic() at which to stop, if the server can send the rest alone.

    Raises:
        FetchError: it is out of reach, or another file than declared.
        Unfinished: it is not there whole in time.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(target, checksum)
    for attempt in range(1, TRIES + 1):
        try:
            _continue(url, partial, until)
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


def _continue(url: str, partial: Path, until: float) -> None:
    """Fetch what is missing of a file, or all of it from a server that cannot send a part."""
    begun = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={begun}-"} if begun else {}
    with open_url(url, headers=headers, timeout=TIMEOUT_S, follow_redirects="all") as reply:
        continues = reply.status == http.client.PARTIAL_CONTENT
        parts = continues or reply.headers.get("Accept-Ranges") == "bytes"
        length = reply.headers.get("Content-Length")
        expected = int(length) + (begun if continues else 0) if length else 0
        require_space(partial.parent, int(length or 0), url)
        with partial.open("ab" if continues else "wb") as file:
            while chunk := reply.read(CHUNK_BYTES):
                file.write(chunk)
                if parts and file.tell() < expected and time.monotonic() >= until:
                    raise Unfinished(file.tell(), expected)
            size = file.tell()
    if size < expected:
        raise _BrokeOff(f"the connection ended after {size} of {expected} bytes")
