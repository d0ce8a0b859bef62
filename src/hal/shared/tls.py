"""What services encrypt with: as servers, and as clients of others."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

# TLS 1.2 with AEAD alone; the suites of TLS 1.3 are so anyway.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(certificate_file: Path) -> ssl.SSLContext:
    """Return what a server encrypts with, from a file with its certificate and its key.

    Raises:
        ValueError: the file cannot be read or holds no such pair.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_cert_chain(certificate_file)
    except OSError as error:  # SSLError is one of them
        raise ValueError(f"the certificate {certificate_file} cannot be used: {error}") from error
    return context


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return what a client encrypts with.

    Args:
        ca_file: PEM of the authority that vouches for the server; the system's own by default.

    Raises:
        ValueError: the file cannot be read or holds no certificate.
    """
    if ca_file is None:
        return _system_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is one of them
        raise ValueError(f"the authority's certificate {ca_file} cannot be used: {error}") from error


@functools.cache
def _system_context() -> ssl.SSLContext:
    """Return what trusts the authorities of this system; to read them takes 0.05 s of processor time."""
    return ssl.create_default_context()
