#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name; it runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: device_tokens
short_description: Give devices tokens and take others' away
description:
  - Changes C(network_device_tokens) in the file of the secrets; an encrypted file stays encrypted with the
    same password.
  - A token is made here and is shown nowhere. Run the task with C(no_log).
options:
  secrets_file:
    description: The file of variables that holds the tokens.
    type: path
    required: true
  add:
    description: Names of the devices that get a token.
    type: list
    elements: str
    default: []
  revoke:
    description: Names of the devices that lose theirs.
    type: list
    elements: str
    default: []
  replace:
    description: Whether a device of O(add) that has a token gets another instead of a refusal.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Returns what would be the tokens, and writes nothing.
  diff_mode:
    support: none
    description: What it changes is secret.
author: HAL network
"""

EXAMPLES = r"""
- name: Give the tablet a token, and take that of the lost telephone away
  device_tokens:
    secrets_file: inventories/production/vault.yml
    add: [tablet]
    revoke: [telephone]
  no_log: true
"""

RETURN = r"""
network_device_tokens:
  description: The tokens of all devices as they are now, by the devices' names.
  type: dict
  returned: success
added:
  description: Names of the devices that got one.
  type: list
  elements: str
  returned: success
revoked:
  description: Names of the devices that lost theirs.
  type: list
  elements: str
  returned: success
"""
