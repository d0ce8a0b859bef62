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
  unit:
    description: Its systemd unit, which the advice names when it does not answer.
    type: str
    default: ollama
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
  gpu:
    description:
      - Whose GPU the models in memory must be computed on, all of each. V(auto) demands it where O(own) and
        there is a GPU with its driver.
    type: str
    choices: [none, auto, nvidia, amd]
    default: none
  own:
    description: Whether the host that runs the check is the one that is checked.
    type: bool
    default: false
  minimum_tokens_per_second:
    description: How fast the answer must come. V(0) is any speed.
    type: float
    default: 0
author: HAL network
"""

EXAMPLES = r"""
- name: Check the language model
  ollama_health:
    host: ubuai
    models: ["deepseek-r1:32b", llama3]
    loaded: ["deepseek-r1:32b"]
    gpu: nvidia
    minimum_tokens_per_second: 10
    timeout: 60
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
details:
  description:
    - The I(models) that are there and their I(digests), those that are I(loaded) if asked for, and
      I(tokens_per_second).
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    connection_spec(11434, "ollama")
    | TLS_SPEC
    | {
        "models": {"type": "list", "elements": "str", "default": []},
        "loaded": {"type": "list", "elements": "str", "default": []},
        "generate": {"type": "bool", "default": True},
        "gpu": {"type": "str", "choices": ["none", "auto", "nvidia", "amd"], "default": "none"},
        "own": {"type": "bool", "default": False},
        "minimum_tokens_per_second": {"type": "float", "default": 0},
    }
)


def main() -> None:
    run("ollama", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
