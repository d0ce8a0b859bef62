#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check the voice gateway: greeting, readiness, sessions, and a whole turn."""

from __future__ import annotations

from ansible.module_utils.health_module import TLS_SPEC, connection_spec, run

DOCUMENTATION = r"""
module: gateway_health
short_description: Check the voice gateway - greeting, readiness, sessions, and a whole turn
description:
  - Shakes hands over WebSocket and waits for the greeting, as every client does.
  - As far as it is asked to, it also sends a question, typed or spoken, and judges the answer; asks the
    gateway which of its back ends it can use; and compares its open sessions with a limit.
  - Run it from a host that uses the gateway.
extends_documentation_fragment:
  - health
  - health.connection
  - health.tls
options:
  port:
    description: Port of the gateway.
    type: int
    default: 8768
  unit:
    description: Its systemd unit, which the advice names when it does not answer.
    type: str
    default: hal-gateway
  question:
    description: A typed question. Without one, and without I(audio), the greeting is enough.
    type: str
    default: ""
  token:
    description: A device's token, where the host that asks is on no trusted network.
    type: str
    default: ""
  audio:
    description: A spoken question, a WAV file in base64. It goes before I(question).
    type: str
    default: ""
  expect_words:
    description: Words that the answer must hold, whatever their case.
    type: list
    elements: str
    default: []
  readiness:
    description:
      - What the gateway must say of itself at C(/readyz) - V(ready), that it can use every back end;
        V(degraded), that it can answer from the records at least; or V(unasked).
    type: str
    choices: [ready, degraded, unasked]
    default: ready
  max_sessions:
    description: No more sessions may be open than this, with the check's own. Not judged unless it is given.
    type: int
author: HAL network
"""

EXAMPLES = r"""
- name: Ask the gateway as a client does
  gateway_health:
    host: qm1
    question: What medications am I taking?
    expect_words: [metformin]
    max_latency_ms: 10
    max_sessions: 150

- name: See how the gateway is through the proxy, encrypted, without failing
  gateway_health:
    host: haproxy
    port: 443
    tls: true
    ca_file: /etc/hal/ca.crt
    readiness: degraded
    fail_on_fault: false
  register: gateway
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
details:
  description:
    - What C(/readyz) says (I(status), I(backends)); and, if I(max_sessions) is given, I(sessions) and
      I(held_back), the back ends that the gateway leaves alone for a while.
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    connection_spec(8768, "hal-gateway")
    | TLS_SPEC
    | {
        "question": {"type": "str", "default": ""},
        "token": {"type": "str", "default": "", "no_log": True},
        "audio": {"type": "str", "default": ""},
        "expect_words": {"type": "list", "elements": "str", "default": []},
        "readiness": {"type": "str", "choices": ["ready", "degraded", "unasked"], "default": "ready"},
        "max_sessions": {"type": "int"},
    }
)


def main() -> None:
    run("gateway", ARGUMENT_SPEC, {"max_sessions": "sessions"})


if __name__ == "__main__":
    main()
