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

_CLOCK = "check the date and time of this computer"
# OpenSSL's numbers of what is wrong with a certificate, each with what to do about it.
_CERTIFICATE_ADVICE = {
    9: f"it is not valid yet: {_CLOCK}",
    10: f"it has expired: renew it with playbooks/renew_certificates.yml, and {_CLOCK}",
    62: "it is for another name: use the one that the network's reference shows",
    64: "it is not for this address: use the name that the network's reference shows",
}
_UNKNOWN_AUTHORITY = "set HAL_CA_FILE or --ca-file to the network's own certificate authority, as it is now"

_CAUSES: dict[type[OSError], tuple[str, str]] = {
    ssl.SSLError: ("no TLS connection could be agreed", "is this a plain ws:// or http:// port?"),
    socket.gaierror: ("the host name is not known", ""),
    TimeoutError: ("no reply in time", ""),
    ConnectionRefusedError: ("the connection was refused", ""),
    ConnectionResetError: ("the connection was reset", ""),
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
    return f"Cannot connect to {url}: {explain_network(error, TRY_GATEWAY)}."


def explain_status(status: int, url: str) -> str:
    """Say why a server answered with an HTTP status that is not success."""
    hint = _STATUS_HINTS.get(status, "check the URL")
    return f"Cannot connect to {url}: the server answered HTTP {status}; {hint}."


def explain_close(error: ConnectionClosed, url: str) -> str:
    """Say why the gateway ended the connection."""
    reason = error.rcvd.reason if error.rcvd else ""
    detail = f" ({reason})" if reason else ""
    return f"The gateway at {url} closed the connection{detail}: check that it still runs, then try again."


def explain_network(error: BaseException, advice: str = "") -> str:
    """Name the cause of a failed connection, and what to do about it, without a full stop.

    Looks through the causes of `error`, because HTTP libraries wrap the operating system's.

    Arguments:
        error: what was raised.
        advice: what to do, unless the cause asks for something else.
    """
    cause = ""
    seen: BaseException | None = error
    while seen is not None and not cause:
        cause, own_advice = _cause(seen)
        advice = own_advice or advice
        seen = seen.__cause__ or seen.__context__
    cause = cause or (str(error).splitlines()[0] if str(error) else type(error).__name__)
    return f"{cause}; {advice}" if advice else cause


def _cause(error: BaseException) -> tuple[str, str]:
    """Name the cause if this very exception tells it, and what it alone asks for."""
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _CERTIFICATE_ADVICE.get(error.verify_code, _UNKNOWN_AUTHORITY)
        return f"its certificate is not trusted ({error.verify_message.rstrip('.')})", advice
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "there is no route to this host", "check this computer's own network"
    return next((cause for kind, cause in _CAUSES.items() if isinstance(error, kind)), ("", ""))
