"""Who may open a session: the host itself and trusted networks without a token, others with one."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from websockets.datastructures import Headers

from hal.shared.addresses import Address, parse_address
from hal.shared.own_names import OwnNames

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TOKEN_LINE = re.compile(r"(?P<name>\S+)\s+(?P<digest>[0-9a-fA-F]{64})")
UNKNOWN_NETWORK = "This network needs a token: send the header 'Authorization: Bearer <token>'."
UNKNOWN_DEVICE = "This token is not known: ask the administrator for a new one."


class Refused(Exception):
    """The client may not connect; the text tells it why, and `status` is what HTTP calls it."""

    def __init__(self, reason: str, status: HTTPStatus = HTTPStatus.UNAUTHORIZED) -> None:
        super().__init__(reason)
        self.status = status


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
        own_names: OwnNames | None = None,
    ) -> None:
        self._networks = [ipaddress.ip_network(network) for network in trusted_networks]
        self._proxies = [ipaddress.ip_network(network) for network in trusted_proxies]
        self._tokens = dict(tokens or {})
        self._own_names = own_names or OwnNames()

    def admit(self, peer: str, headers: Headers, local: str = "") -> str:
        """Return the name of the client that connects from the address `peer`.

        Args:
            peer: the address of the connection's other end.
            headers: those of its request.
            local: the address of this end.

        Raises:
            Refused: it may not.
        """
        given = headers.get_all("Authorization")
        if given and (name := self._device(given[0])):
            return name
        if reason := self._own_names.fault(headers.get_all("Host"), headers.get_all("Origin"), local):
            raise Refused(reason, HTTPStatus.FORBIDDEN)
        address = self.client_address(peer, headers)
        # Behind an address of the own host may stand a proxy that nobody has named, for anybody.
        is_local = address is not None and address.is_loopback and not headers.get_all("X-Forwarded-For")
        if address is None or not (is_local or _within(address, self._networks)):
            raise Refused(UNKNOWN_DEVICE if given else UNKNOWN_NETWORK)
        return str(address)

    def client_address(self, peer: str, headers: Headers) -> Address | None:
        """Walk X-Forwarded-For from its end as long as the speaker is one of our proxies."""
        address = parse_address(peer)
        hops = ",".join(headers.get_all("X-Forwarded-For")).split(",")
        while address is not None and _within(address, self._proxies) and hops:
            hop = hops.pop().strip()
            if not hop:
                break
            address = parse_address(hop)
        return address

    def is_proxy(self, peer: str) -> bool:
        """Tell whether an address is one of our proxies."""
        address = parse_address(peer)
        return address is not None and _within(address, self._proxies)

    def _device(self, authorization: str) -> str | None:
        scheme, _, token = authorization.partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        found = None
        for name, known in self._tokens.items():  # every one, so that time tells nothing
            if hmac.compare_digest(digest, known) and scheme.lower() == "bearer":
                found = name
        return found


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
