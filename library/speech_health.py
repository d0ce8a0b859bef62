#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check speech to text: the model, its queue, and a sentence."""

from __future__ import annotations

from ansible.module_utils.health_module import TLS_SPEC, connection_spec, run

DOCUMENTATION = r"""
module: speech_health
short_description: Check speech to text - the model, its queue, and a sentence
description:
  - Asks whether the model is loaded and, if a recording is given, has it transcribed.
  - Run it from a host that uses the service.
extends_documentation_fragment:
  - health
  - health.connection
  - health.tls
options:
  port:
    description: Port of the speech service.
    type: int
    default: 9000
  unit:
    description: Its systemd unit, which the advice names when it does not answer.
    type: str
    default: hal-speech
  audio:
    description: A spoken sentence, a WAV file in base64. Without one the loaded model is enough.
    type: str
    default: ""
  expect_words:
    description: Words that must be heard, whatever their case.
    type: list
    elements: str
    default: []
  max_queue:
    description:
      - No more than this many requests may wait or be at work before this one. Not judged unless it is
        given.
    type: int
  gpu:
    description: Whether a service that could use a GPU, and computes on the processor, is a fault.
    type: str
    choices: [none, nvidia]
    default: none
author: HAL network
"""

EXAMPLES = r"""
- name: Have a sentence understood
  speech_health:
    host: ubuai
    audio: "{{ lookup('ansible.builtin.file', 'spoken_question.wav.b64') }}"
    expect_words: [medications]
    max_queue: 8
    max_seconds: 10
    timeout: 30
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
details:
  description: The I(model), the I(device), what was I(heard) and the I(processing_time) in seconds.
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    connection_spec(9000, "hal-speech")
    | TLS_SPEC
    | {
        "audio": {"type": "str", "default": ""},
        "expect_words": {"type": "list", "elements": "str", "default": []},
        "max_queue": {"type": "int"},
        "gpu": {"type": "str", "choices": ["none", "nvidia"], "default": "none"},
    }
)


def main() -> None:
    run("speech", ARGUMENT_SPEC, {"max_queue": "queue"})


if __name__ == "__main__":
    main()
