"""Who may open a session: trusted networks without a token, others with one."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from websockets.datastructures import Headers

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TOKEN_LINE = re.compile(r"(?P<name>\S+)\s+(?P<digest>[0-9a-fA-F]{64})")
UNKNOWN_NETWORK = "This network needs a token: send the header 'Authorization: Bearer <token>'."
UNKNOWN_DEVICE = "This token is not known: ask the administrator for a new one."
FOREIGN_ORIGIN = "Web pages of this origin may not connect without a token."


class Refused(Exception):
    """The client may not connect; the text tells it why."""


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


class Admission:
    """Decides who may connect."""

    def __init__(
        self,
        trusted_networks: Sequence[str],
        trusted_proxies: Sequence[str] = (),
        tokens: Mapping[str, bytes] | None = None,
        allowed_origins: Sequence[str] = (),
    ) -> None:
        self._networks = [ipaddress.ip_network(network) for network in trusted_networks]
        self._proxies = [ipaddress.ip_network(network) for network in trusted_proxies]
        self._tokens = dict(tokens or {})
        self._origins = frozenset(allowed_origins)

    def admit(self, peer: str, headers: Headers) -> str:
        """Return the name of the client that connects from the address `peer`.

        Raises:
            Refused: it may not.
        """
        given = headers.get_all("Authorization")
        if given and (name := self._device(given[0])):
            return name
        address = self._client_address(peer, headers)
        if address is None or not _within(address, self._networks):
            raise Refused(UNKNOWN_DEVICE if given else UNKNOWN_NETWORK)
        if not self._is_own_origin(headers):
            raise Refused(FOREIGN_ORIGIN)
        return str(address)

    def _client_address(self, peer: str, headers: Headers) -> Address | None:
        """Walk X-Forwarded-For from its end as long as the speaker is one of our proxies."""
        address = _parse(peer)
        hops = ",".join(headers.get_all("X-Forwarded-For")).split(",")
        while address is not None and _within(address, self._proxies) and hops:
            hop = hops.pop().strip()
            if not hop:
                break
            address = _parse(hop)
        return address

    def _device(self, authorization: str) -> str | None:
        scheme, _, token = authorization.partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        found = None
        for name, known in self._tokens.items():  # every one, so that time tells nothing
            if hmac.compare_digest(digest, known) and scheme.lower() == "bearer":
                found = name
        return found

    def _is_own_origin(self, headers: Headers) -> bool:
        """A browser on a trusted network must not lend its trust to any web page it shows."""
        origins = headers.get_all("Origin")
        hosts = headers.get_all("Host")
        own = urlsplit(f"//{hosts[0]}").hostname if hosts else None
        return all(o in self._origins or (own and urlsplit(o).hostname == own) for o in origins)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
