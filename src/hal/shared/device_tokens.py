"""The tokens of the devices: which file they stand in, and how a client sends its own."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from websockets.datastructures import Headers

log = logging.getLogger(__name__)

SUBPROTOCOL = "hal"
# A page in a browser cannot send the header Authorization, but name subprotocols, which stand in no log.
TOKEN_SUBPROTOCOL = "hal.token."  # noqa: S105 - what stands before a token
_TOKEN_LINE = re.compile(r"(?P<name>\S+)\s+(?P<digest>[0-9a-fA-F]{64})")
_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that has shown its token: its name, and the token's SHA-256."""

    name: str
    digest: bytes


def read_tokens(path: Path) -> dict[str, bytes]:
    """Return {name of a device: SHA-256 of its token} from lines of "name sha256hex".

    Raises:
        ValueError: the file cannot be read or a line is malformed; lines are not quoted.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the tokens file {path} cannot be read: {error}") from error
    tokens = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _TOKEN_LINE.fullmatch(line.strip())
        if not match:
            raise ValueError(f"{path}, line {number}: expected a name and a SHA-256 in hexadecimal")
        tokens[match["name"]] = bytes.fromhex(match["digest"])
    return tokens


def token_of(headers: Headers) -> str | None:
    """Return the token that a request carries; None: it carries none, empty: what it carries is no token."""
    for given in headers.get_all("Authorization"):
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else _NOBODY
    for offered in headers.get_all("Sec-WebSocket-Protocol"):
        for protocol in offered.split(","):
            if protocol.strip().startswith(TOKEN_SUBPROTOCOL):
                return protocol.strip().removeprefix(TOKEN_SUBPROTOCOL)
    return None


class DeviceTokens:
    """Tells devices by their tokens.

    Args:
        tokens: digests by the names of the devices.
        path: the file that they are read from instead, again whenever it has changed.

    Raises:
        ValueError: the file is unreadable or malformed.
    """

    def __init__(self, tokens: Mapping[str, bytes] | None = None, path: Path | None = None) -> None:
        self._path = path
        self._read_as = self._refused_as = _state_of(path) if path else None
        self._tokens = read_tokens(path) if path else dict(tokens or {})

    def refresh(self) -> bool:
        """Read the file again if it has changed; tell whether other tokens are good now.

        A file that cannot be read changes nothing: whoever was admitted still is, and nobody else.
        """
        if self._path is None or (state := _state_of(self._path)) == self._read_as:
            return False
        try:
            tokens = read_tokens(self._path)
        except ValueError as error:
            if state != self._refused_as:
                log.error("%s; the tokens of before stay in force", error)
            self._refused_as = state
            return False
        changed, self._tokens, self._read_as = tokens != self._tokens, tokens, state
        if changed:
            log.info("the tokens have changed: %d devices have one", len(tokens))
        return changed

    def device(self, token: str) -> Device | None:
        """Return whose token this is."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        found = None
        for name, known in self._tokens.items():  # every one, so that time tells nothing
            if hmac.compare_digest(digest, known) and token:
                found = Device(name, known)
        return found

    def is_good(self, device: Device) -> bool:
        """Tell whether a device that was admitted would be admitted again."""
        return self._tokens.get(device.name) == device.digest


def _state_of(path: Path) -> tuple[int, ...] | None:
    """Return what differs once a file has been written anew; None: it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)
