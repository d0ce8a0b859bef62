"""The settings of every server of clients: the gateway, and the engine in phantom mode."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from hal.shared.settings import check_not_negative, check_ports, check_positive

_PORTS = ("port", "extra_port", "ai_server_port", "tls_port")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """What every server of clients is told: where it listens, who may connect, and its bounds.

    Attributes:
        host: address to listen on.
        port: WebSocket port; 0 lets the system choose.
        ai_server_port: a port for clients of AI.SERVER, over TCP and WebSocket; 0 is off.
        extra_port: a second port for clients that hard-code one; 0 is off.
        tls_port: a port at which the same is served encrypted, on every interface; 0 is off.
        certificate_file: PEM of the certificate and the key for that port.
        trusted_networks: networks (CIDR) whose clients need no token.
        trusted_proxies: networks whose X-Forwarded-For is believed.
        own_names: names and addresses under which clients may ask; "*.example.org" is all that end so.
        allowed_origins: web origins whose pages may connect without a token, besides the server's own.
        tokens_file: lines of "name sha256hex", one for each device.
        max_sessions: sessions at a time; one more is refused with close code 1013.
        max_connections: connections of all kinds at a time; one more is closed at once.
        address_connections: connections that one address may have; 0 is no limit, also below. Behind a
            trusted proxy each client's own address counts.
        address_sessions: sessions that one address may have; one more is refused with close code 1013.
        address_handshakes_per_minute: connections that one address may open in a minute.
        turn_timeout_s: limit for a whole turn.
        listener_timeout_s: limit for one exchange with the listener.
        drain_timeout_s: how long turns in flight may take once the server is told to stop.
    """

    host: str = "0.0.0.0"  # noqa: S104 - clients on the network are served; admission and firewall decide who
    port: int = 8768
    ai_server_port: int = 0
    extra_port: int = 0
    tls_port: int = 0
    certificate_file: Path | None = None
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    trusted_proxies: tuple[str, ...] = ()
    own_names: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    tokens_file: Path | None = None
    max_sessions: int = 200
    max_connections: int = 800
    address_connections: int = 128
    address_sessions: int = 50
    address_handshakes_per_minute: int = 600
    turn_timeout_s: float = 60.0
    listener_timeout_s: float = 10.0
    drain_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        check_ports(self, *_PORTS)
        chosen = [getattr(self, name) for name in _PORTS if getattr(self, name)]
        if len(set(chosen)) != len(chosen):
            raise ValueError(f"{', '.join(_PORTS[:-1])} and {_PORTS[-1]} must differ")
        if self.tls_port and not self.certificate_file:
            raise ValueError("certificate_file must name a certificate when tls_port is set")
        check_positive(self, "max_sessions", "max_connections", "turn_timeout_s", "listener_timeout_s")
        check_not_negative(self, "address_connections", "address_sessions", "address_handshakes_per_minute")
        for name in ("trusted_networks", "trusted_proxies"):
            for network in getattr(self, name):
                try:
                    ipaddress.ip_network(network)
                except ValueError as error:
                    raise ValueError(
                        f"{name}: {network!r} is not a network such as 10.1.0.0/16 ({error})"
                    ) from None
