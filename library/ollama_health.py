#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check Ollama: the models that are there and in memory, and a generation."""

from __future__ import annotations

from ansible.module_utils.health_module import TLS_SPEC, connection_spec, run

DOCUMENTATION = r"""
module: ollama_health
short_description: Check Ollama - the models that are there and in memory, and a generation
description:
  - Compares the models that Ollama has with those it must have, and lets the first of them say a word.
  - Run it from a host that uses the service.
extends_documentation_fragment:
  - health
  - health.connection
  - health.tls
options:
  port:
    description: Port of Ollama.
    type: int
    default: 11434
  models:
    description: Models that must be there. A name without a tag means C(latest).
    type: list
    elements: str
    default: []
  loaded:
    description: Models that must be in memory, so that the first question need not wait for them.
    type: list
    elements: str
    default: []
  generate:
    description:
      - Whether the first of the models must say something. It is loaded for that, which may take a minute
        the first time.
    type: bool
    default: true
author: HAL network
"""

EXAMPLES = r"""
- name: Check the language model
  ollama_health:
    host: ubuai
    models: ["deepseek-r1:32b", llama3]
    loaded: ["deepseek-r1:32b"]
    timeout: 60
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
version:
  description: Ollama's.
  type: str
  returned: always
details:
  description: The I(models) that are there, those that are I(loaded) if asked for, and I(tokens_per_second).
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    connection_spec(11434)
    | TLS_SPEC
    | {
        "models": {"type": "list", "elements": "str", "default": []},
        "loaded": {"type": "list", "elements": "str", "default": []},
        "generate": {"type": "bool", "default": True},
    }
)


def main() -> None:
    run("ollama", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
