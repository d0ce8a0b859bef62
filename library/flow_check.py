#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check many flows at once: those that must be open and those that must be closed."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hal_checks.runner import FLOW_TIMEOUT_S, WORKERS, run_checks, targets
from ansible.module_utils.health_module import FAILURE_SPEC, end

DOCUMENTATION = r"""
module: flow_check
short_description: Check many flows at once - those that must be open and those that must be closed
description:
  - Tries to connect from this host to each port, all in parallel, and compares it with what is to be.
  - A flow is open if the connection is made. One that is refused, and one that is not answered in time, is
    closed.
options:
  flows:
    description: The flows.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host that is connected to.
        type: str
        required: true
      address:
        description: Where it is reached, if not by its name.
        type: str
        default: ""
      port:
        description: TCP port.
        type: int
        required: true
      open:
        description: Whether the flow must be open; if not, it must be closed.
        type: bool
        default: true
  timeout:
    description:
      - Seconds to wait for a connection. What is closed by dropping takes as long; a lost packet is sent
        again after one second.
    type: float
    default: 2
  workers:
    description: Flows that are tried at the same time.
    type: int
    default: 24
  max_latency_ms:
    description:
      - Making a connection must not take longer than this many milliseconds, where the flow must be open. Up
        to five are made, and the fastest counts. Not judged unless it is given.
    type: float
  fail_on_fault:
    description:
      - Whether the task fails when a flow is not as it must be.
      - With V(false) the task succeeds, and I(ok) of the result says how it is.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Only connects, so a check runs the same.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: Check what a client may reach, and what it may not
  flow_check:
    flows:
      - {host: qm1, address: 198.18.34.103, port: 8768}
      - {host: qm1, address: 198.18.34.103, port: 8767, open: false}
      - {host: ubuai, address: 198.18.10.20, port: 11434, open: false}
    max_latency_ms: 10
"""

RETURN = r"""
ok:
  description: Whether every flow is as it must be.
  type: bool
  returned: always
message:
  description: How many flows are as they must be; or what is wrong, and what to do next.
  type: str
  returned: always
flows:
  description:
    - For each flow its I(host), I(address), I(port), I(open) as it must be, I(ok), I(latency_ms) and
      I(message).
  type: list
  elements: dict
  returned: always
"""

FLOW_SPEC = {
    "host": {"type": "str", "required": True},
    "address": {"type": "str", "default": ""},
    "port": {"type": "int", "required": True},
    "open": {"type": "bool", "default": True},
}
ARGUMENT_SPEC = FAILURE_SPEC | {
    "flows": {"type": "list", "elements": "dict", "required": True, "options": FLOW_SPEC},
    "timeout": {"type": "float", "default": FLOW_TIMEOUT_S},
    "workers": {"type": "int", "default": WORKERS},
    "max_latency_ms": {"type": "float"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    limits = {} if params["max_latency_ms"] is None else {"latency_ms": params["max_latency_ms"]}
    checks = [
        flow
        | {
            "name": f"{flow['host']}:{flow['port']}",
            "kind": "flow",
            "address": flow["address"] or flow["host"],
            "expect": "open" if flow["open"] else "closed",
            "limits": limits if flow["open"] else {},
            "timeout": params["timeout"],
        }
        for flow in params["flows"]
    ]
    results = run_checks(targets(checks), "here", params["workers"])
    flows = [
        {key: check[key] for key in ("host", "address", "port", "open")}
        | {key: result[key] for key in ("ok", "latency_ms", "message")}
        for check, result in zip(checks, results, strict=True)
    ]
    faults = [
        f"{check['name']}: {result['message']}"
        for check, result in zip(checks, results, strict=True)
        if not result["ok"]
    ]
    wrong = f"{len(faults)} of {len(flows)} flows are not as they must be. {'; '.join(faults)}"
    end(module, wrong if faults else f"{len(flows)} flows are as they must be", ok=not faults, flows=flows)


if __name__ == "__main__":
    main()
