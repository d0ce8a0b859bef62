"""What a failed check means, and what to do about it."""

from __future__ import annotations

import contextlib
import ssl
import subprocess

from ansible.module_utils.hal_checks.result import CheckFailed
from ansible.module_utils.hal_checks.target import Target

RENEWAL = (
    "Run site.yml, which renews what the household's own authority has issued; "
    "replace one that you brought yourself as docs/production.md says"
)


def advice(target: Target) -> str:
    """Return the command that tells more about a service; nothing where its unit is not known."""
    if not target.unit:
        return ""
    if target.own and not target.windows and _is_masked(target.unit):
        unmask = f"On {target.host}: `systemctl unmask {target.unit}`, then run site.yml"
        return f"{target.unit} is masked, which somebody did. {unmask}"
    command = "Get-Service" if target.windows else "systemctl status"
    return f"On {target.host}: `{command} {target.unit}`"


def _late(target: Target) -> tuple[str, str]:
    """Return what it means that a check's time was over."""
    if not target.connect_ms:
        return f"no answer from {target.where} within {target.patience:g} s: is a firewall in between?", ""
    return (
        f"no complete answer from {target.where} within {target.timeout:g} s",
        f"See with `top` whether {target.host} is overloaded. {advice(target)}".strip(),
    )


def _is_masked(unit: str) -> bool:
    """Return whether systemd on this host must not start a unit."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        asked = ["systemctl", "is-enabled", "--", unit]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False)
        return done.stdout.strip() in ("masked", "masked-runtime")
    return False


def certificate_faults(target: Target) -> list[tuple[str, str]]:
    """Return what is wrong with the age of the certificates that were seen, and what to do."""
    limit = target.minimum_certificate_days
    return [
        (f"the certificate of {target.where} ends in {days:.0f} days", RENEWAL)
        for days in target.certificate_days[-1:]
        if days < limit
    ]


def explain(error: CheckFailed | OSError, target: Target) -> tuple[str, str]:
    """Return what is wrong, and what to do beyond `advice`; the latter may be empty."""
    if isinstance(error, TimeoutError) or (target.over.is_set() and target.connect_ms):
        return _late(target)  # whatever was said then, it was said because the connection was cut off
    where, message, remedy = target.where, "", ""
    match error:
        case CheckFailed():
            message, remedy = error.message, error.remedy
        case ConnectionRefusedError():
            message = f"connection refused: nothing listens on {where}"
        case ssl.SSLCertVerificationError():
            message = f"the certificate of {where} is not trusted: {error.verify_message}"
            authority = target.ca_file or "the system's certificates"
            remedy = f"{RENEWAL}. See that {authority} has its authority"
        case ssl.SSLError():
            message = f"what answers at {where} does not speak TLS ({error.reason or error})"
        case ConnectionResetError() | BrokenPipeError():
            message = f"{where} broke the connection off before its answer"
        case _:
            message = f"{where}: {error.strerror or error}"
    return message, remedy
