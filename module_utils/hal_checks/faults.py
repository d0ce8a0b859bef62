"""What a failed check means, and what to do about it."""

from __future__ import annotations

import ssl

from ansible.module_utils.hal_checks.result import CheckFailed
from ansible.module_utils.hal_checks.target import Target

# What to look at on the host when its service does not answer.
UNITS = {
    "gateway": "hal-gateway",
    "haproxy": "haproxy",
    "listener": "hal-engine",
    "ollama": "ollama",
    "speech": "hal-speech",
    "ssh": "ssh",
    "tts": "hal-tts",
}
WINDOWS_SERVICES = {"gateway": "HalGateway", "listener": "QMSvc"}


def advice(target: Target) -> str:
    """Return the command that tells more about a service, or nothing."""
    if target.proxied:
        command = "systemctl status haproxy"
    elif target.windows:
        service = WINDOWS_SERVICES.get(target.kind)
        command = f"Get-Service {service}" if service else ""
    else:
        unit = UNITS.get(target.kind)
        command = f"systemctl status {unit}" if unit else ""
    return f"On {target.host}: `{command}`" if command else ""


def _late(target: Target) -> tuple[str, str]:
    """Return what it means that a check's time was over."""
    if not target.connect_ms:
        return f"no answer from {target.where} within {target.patience:g} s: is a firewall in between?", ""
    return (
        f"no complete answer from {target.where} within {target.timeout:g} s",
        f"See with `top` whether {target.host} is overloaded. {advice(target)}".strip(),
    )


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
            remedy = f"Run site.yml to renew it, and see that {authority} has its authority"
        case ssl.SSLError():
            message = f"what answers at {where} does not speak TLS ({error.reason or error})"
        case ConnectionResetError() | BrokenPipeError():
            message = f"{where} broke the connection off before its answer"
        case _:
            message = f"{where}: {error.strerror or error}"
    return message, remedy
