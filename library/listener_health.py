#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check the QM voice listener with a question."""

from __future__ import annotations

from ansible.module_utils.health_module import connection_spec, run

DOCUMENTATION = r"""
module: listener_health
short_description: Check the QM voice listener with a question
description:
  - Sends one question and judges the answer, a JSON object each way, as the gateway does.
  - Run it on the host of the listener, which nobody else may reach.
extends_documentation_fragment:
  - health
  - health.connection
options:
  port:
    description: Port of the listener.
    type: int
    default: 8767
  unit:
    description: Its systemd unit, which the advice names when it does not answer.
    type: str
    default: hal-engine
  question:
    description: What is asked.
    type: str
    default: What medications am I taking?
  expect_words:
    description: Words that the answer must hold, whatever their case.
    type: list
    elements: str
    default: []
author: HAL network
"""

EXAMPLES = r"""
- name: Ask the listener
  listener_health:
    host: qm1
    address: 127.0.0.1
    expect_words: [metformin]
    max_seconds: 2
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
details:
  description: The I(intent) and the I(answer).
  type: dict
  returned: always
"""

ARGUMENT_SPEC = connection_spec(8767, "hal-engine") | {
    "question": {"type": "str", "default": "What medications am I taking?"},
    "expect_words": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    run("listener", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
