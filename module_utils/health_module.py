"""What the health modules share: their common options, and how they end."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hal_checks.runner import run_check, until_good
from ansible.module_utils.hal_checks.target import Target

# doc_fragments/health.py describes these.
FAILURE_SPEC: dict[str, dict[str, Any]] = {"fail_on_fault": {"type": "bool", "default": True}}
WAIT_SPEC: dict[str, dict[str, Any]] = {"wait": {"type": "float", "default": 0}}
COMMON_SPEC = (
    FAILURE_SPEC
    | WAIT_SPEC
    | {
        "timeout": {"type": "float", "default": 10},
        "max_seconds": {"type": "float"},
    }
)
TLS_SPEC: dict[str, dict[str, Any]] = {
    "tls": {"type": "bool", "default": False},
    "ca_file": {"type": "path", "default": ""},
}
COMMON_LIMITS = {"max_seconds": "seconds", "max_latency_ms": "latency_ms"}


def connection_spec(port: int, unit: str) -> dict[str, dict[str, Any]]:
    """Return the options of a module that connects to a service, with its usual port and systemd unit."""
    return COMMON_SPEC | {
        "host": {"type": "str", "required": True},
        "address": {"type": "str", "default": ""},
        "port": {"type": "int", "default": port},
        "unit": {"type": "str", "default": unit},
        "max_latency_ms": {"type": "float"},
    }


def end(module: AnsibleModule, message: str, **result: Any) -> None:
    """End a module with a result, whose `ok` decides, with `fail_on_fault`, on failure."""
    if result["ok"] or not module.params["fail_on_fault"]:
        module.exit_json(changed=False, message=message, **result)
    module.fail_json(msg=message, changed=False, message=message, **result)


def run(kind: str, spec: dict[str, dict[str, Any]], limits: dict[str, str] | None = None) -> None:
    """Run one check as a module.

    Args:
        kind: the check, a key of `runner.KINDS`.
        spec: the module's options, by the names of `Target`'s fields, and limits.
        limits: the module's own limits: each option with what it limits, a key of `limits.LIMITS`.
    """
    module = AnsibleModule(spec, supports_check_mode=True)
    params = module.params
    host = params.get("host") or "this host"
    options = params | {
        "name": kind,
        "kind": kind,
        "host": host,
        "address": params.get("address") or host,
        "limits": {
            name: params[option]
            for option, name in (COMMON_LIMITS | (limits or {})).items()
            if params.get(option) is not None
        },
    }
    result = until_good(
        lambda: run_check(Target.from_options(options, params["timeout"]), "here"),
        lambda result: bool(result["ok"]),
        params["wait"],
    )
    end(
        module,
        f"{kind} on {host}: {result['message']}",
        seconds=round(result["ms"] / 1000, 3),
        **{name: result[name] for name in ("ok", "remedy", "latency_ms", "version", "details")},
    )
