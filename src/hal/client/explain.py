"""Failures of a connection, told in one sentence: what happened, where, and what to try."""

from __future__ import annotations

import errno
import socket
import ssl

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

TRY_GATEWAY = "check that the gateway runs and that --url or HAL_GATEWAY_URL is right"

_STATUS_HINTS = {
    401: "it wants this device's token: set HAL_TOKEN_FILE or --token-file",
    403: "it does not admit this device or its token",
    404: "no gateway is served at this path: check the URL",
    429: "it has too many connections from here: wait and try again",
    502: "the proxy has no gateway behind it: check that the gateway runs",
    503: "it is not ready, or has too many sessions: wait and try again",
    504: "the proxy's gateway does not answer: check that the gateway runs",
}

_CAUSES: dict[type[OSError], str] = {
    ssl.SSLError: "no TLS connection could be agreed; is this a plain ws:// or http:// port?",
    socket.gaierror: "the host name is not known",
    TimeoutError: "no reply in time",
    ConnectionRefusedError: "the connection was refused",
    ConnectionResetError: "the connection was reset",
}


def explain_connect(error: BaseException, url: str) -> str:
    """Say why no WebSocket could be opened to `url`."""
    if isinstance(error, InvalidStatus):
        return explain_status(error.response.status_code, url)
    if isinstance(error, InvalidURI):
        return (
            f"Cannot connect to {url}: the server sends clients on to {error.uri}; use that host with wss://."
        )
    if isinstance(error, InvalidHandshake | EOFError):
        return f"Cannot connect to {url}: what answers there is not a WebSocket gateway; check the URL."
    return f"Cannot connect to {url}: {explain_network(error)}; {TRY_GATEWAY}."


def explain_status(status: int, url: str) -> str:
    """Say why a server answered with an HTTP status that is not success."""
    hint = _STATUS_HINTS.get(status, "check the URL")
    return f"Cannot connect to {url}: the server answered HTTP {status}; {hint}."


def explain_close(error: ConnectionClosed, url: str) -> str:
    """Say why the gateway ended the connection."""
    reason = error.rcvd.reason if error.rcvd else ""
    detail = f" ({reason})" if reason else ""
    return f"The gateway at {url} closed the connection{detail}: check that it still runs, then try again."


def explain_network(error: BaseException) -> str:
    """Name the cause of a failed connection, without a full stop.

    Looks through the causes of `error`, because HTTP libraries wrap the operating system's.
    """
    seen: BaseException | None = error
    while seen is not None:
        if cause := _cause(seen):
            return cause
        seen = seen.__cause__ or seen.__context__
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _cause(error: BaseException) -> str:
    """Name the cause if this very exception tells it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}); "
            "set HAL_CA_FILE or --ca-file to the network's own certificate authority"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "there is no route to this host"
    return next((cause for kind, cause in _CAUSES.items() if isinstance(error, kind)), "")
