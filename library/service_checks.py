#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check services of the network from this host, all at once, each in its own protocol."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hal_checks.runner import (
    TIMEOUT_S,
    WORKERS,
    fault_in,
    run_checks,
    targets,
    until_good,
)
from ansible.module_utils.health_module import WAIT_SPEC, end

DOCUMENTATION = r"""
module: service_checks
short_description: Check services of the network from this host
description:
  - Runs many checks in parallel in one call, from the host that uses the services.
  - A check speaks the service's own protocol, so that an open port and a service that works are told apart.
  - A check that fails is a result and no failure of the module, unless O(fail_on_fault) says so.
  - The modules C(gateway_health), C(speech_health) and so on run one of these checks, with its options
    documented; this one runs all those of a host without starting a module for each.
options:
  checks:
    description:
      - The checks, as the filter C(planned_checks) makes them from the service catalogue.
      - Each has I(name), I(kind) (ai_server, backup, flow, gateway, gpu, haproxy, http, listener, ollama,
        speech, ssh, tts, vrrp or wyoming), I(host), I(address) and I(port); and as needed I(expect) (V(open)
        or V(closed)), I(tls), I(ca_file), I(path), I(question), I(audio) (a WAV file in base64),
        I(expect_words), I(readiness), I(models), I(loaded), I(timeout), I(windows) (whether that host runs
        Windows), I(unit) (the systemd unit or Windows service that the service is there, which advice
        names), I(proxied) (whether it is the proxy) and I(firewall) (whether the host must have one).
      - I(limits) of a check are the highest good values - latency_ms, seconds, queue, sessions,
        sessions_percent, temperature_c, memory_percent or processes.
      - Without I(host) and I(address) a check is of a service on this host, O(origin).
      - A check of the kind backup, gpu or vrrp is of the host that it runs on, and has neither address nor
        port; that of vrrp has the address that the host shares with others.
    type: list
    elements: dict
    required: true
  origin:
    description: Name of the host that the checks run on, for the results.
    type: str
    required: true
  timeout:
    description: Seconds for a check that names none itself.
    type: float
    default: 10
  token:
    description: The token with which the checks ask the gateway. Without one they need a trusted network.
    type: str
    default: ""
  workers:
    description: Checks that run at the same time.
    type: int
    default: 24
  wait:
    description: Seconds within which all must pass. They are run again until then.
    type: float
    default: 0
  fail_on_fault:
    description: Whether the task fails if a check does.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Only reads, so a check runs the same.
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Check the language model from the gateway's host
  service_checks:
    origin: qm1
    checks:
      - {name: ollama, kind: ollama, host: ubuai, address: 198.18.10.20, port: 11434, models: [llama3]}
  register: health

- name: Check that Prometheus has come up
  service_checks:
    origin: nas
    checks: [{name: prometheus, kind: http, port: 9090, path: /-/ready}]
    wait: 60
    fail_on_fault: true
"""

RETURN = r"""
results:
  description:
    - For each check its name, kind, host, from, ok, ms (milliseconds), message (what was found, or what is
      wrong and what to do next), remedy (the latter alone), latency_ms (of a connection), version, details.
  type: list
  elements: dict
  returned: always
ok:
  description: Whether every check passed.
  type: bool
  returned: always
message:
  description: How many checks passed; or for each that failed what is wrong, and what to do next.
  type: str
  returned: always
"""

ARGUMENT_SPEC = (
    {
        "checks": {"type": "list", "elements": "dict", "required": True},
        "origin": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": TIMEOUT_S},
        "token": {"type": "str", "default": "", "no_log": True},
        "workers": {"type": "int", "default": WORKERS},
    }
    | WAIT_SPEC
    | {"fail_on_fault": {"type": "bool", "default": False}}
)


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    checks = [{"host": params["origin"], "address": "127.0.0.1"} | check for check in params["checks"]]
    if fault := fault_in(checks):
        module.fail_json(msg=fault)
    results = until_good(
        lambda: run_checks(
            targets(checks, params["timeout"], params["token"]), params["origin"], params["workers"]
        ),
        lambda results: all(result["ok"] for result in results),
        params["wait"],
    )
    faults = [
        f"{result['name']} on {result['host']}: {result['message']}" for result in results if not result["ok"]
    ]
    end(module, " ".join(faults) or f"{len(results)} checks passed", ok=not faults, results=results)


if __name__ == "__main__":
    main()
