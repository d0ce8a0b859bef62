"""Who may open a session: the host itself and trusted networks without a token, others with one."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from http import HTTPStatus

from websockets.datastructures import Headers

from hal.shared.addresses import Address, parse_address
from hal.shared.device_tokens import Device, DeviceTokens, token_of
from hal.shared.own_names import OwnNames

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN_NETWORK = "This network needs a token: send the header 'Authorization: Bearer <token>'."
UNKNOWN_DEVICE = "This token is not known: ask the administrator for a new one."
TOO_MANY_FAILURES = "Too many unknown tokens came from this address: try again in a minute."
NOT_ADMITTED = "not_admitted"
WRONG_TOKEN = "wrong_token"  # noqa: S105 - a label of a metric
TOO_MANY_WRONG_TOKENS = "too_many_wrong_tokens"


class Refused(Exception):
    """The client may not connect; the text tells it why.

    Attributes:
        status: what HTTP calls it.
        kind: what it is counted as.
    """

    def __init__(
        self, reason: str, status: HTTPStatus = HTTPStatus.UNAUTHORIZED, kind: str = NOT_ADMITTED
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind


class Admission:
    """Decides who may connect."""

    def __init__(
        self,
        trusted_networks: Sequence[str],
        trusted_proxies: Sequence[str] = (),
        tokens: DeviceTokens | None = None,
        own_names: OwnNames | None = None,
    ) -> None:
        self._networks = [ipaddress.ip_network(network) for network in trusted_networks]
        self._proxies = [ipaddress.ip_network(network) for network in trusted_proxies]
        self._tokens = tokens or DeviceTokens()
        self._own_names = own_names or OwnNames()

    def admit(self, peer: str, headers: Headers, local: str = "") -> Device | str:
        """Return the device that connects from the address `peer`; where none is needed, its address.

        A token that is not known is refused from everywhere: a device whose token was revoked is to know.

        Args:
            peer: the address of the connection's other end.
            headers: those of its request.
            local: the address of this end.

        Raises:
            Refused: it may not.
        """
        token = token_of(headers)
        if token is not None:
            self._tokens.refresh()
            if device := self._tokens.device(token):
                return device
            raise Refused(UNKNOWN_DEVICE, kind=WRONG_TOKEN)
        if reason := self._own_names.fault(headers.get_all("Host"), headers.get_all("Origin"), local):
            raise Refused(reason, HTTPStatus.FORBIDDEN)
        address = self.client_address(peer, headers)
        # Behind an address of the own host may stand a proxy that nobody has named, for anybody.
        is_local = address is not None and address.is_loopback and not headers.get_all("X-Forwarded-For")
        if address is None or not (is_local or _within(address, self._networks)):
            raise Refused(UNKNOWN_NETWORK)
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


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
