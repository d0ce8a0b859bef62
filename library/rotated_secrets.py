#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name; it runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rotated_secrets
short_description: Replace the secrets that were made here, and keep the former ones beside them
description:
  - Writes new secrets into the file of the secrets and keeps those of before in C(network_former_secrets), in
    one step. An encrypted file stays encrypted with the same password.
  - What C(network_former_secrets) has already is not replaced once more, so that a run that was interrupted
    is gone on with.
  - Run the task with C(no_log).
options:
  secrets_file:
    description: The file of variables that holds the secrets.
    type: path
    required: true
  only:
    description:
      - Which of V(backups), V(tokens) and V(pair), as a list or as text with commas. Empty means all that
        can be.
    type: raw
    default: ""
  unfit:
    description: Why a kind cannot be replaced in this network, by kind; empty texts for those that can.
    type: dict
    default: {}
  clients:
    description: Names of the devices that Ansible brings their tokens. Those of other devices stay.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(begun) makes the new secrets, V(ended) removes the former ones.
      - V(replaced) writes O(replacements), which were made elsewhere, and keeps nothing of before.
    type: str
    choices: [begun, replaced, ended]
    default: begun
  replacements:
    description: New values by the names of variables. One that the file does not hold stands elsewhere.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Returns what would be, and writes nothing.
  diff_mode:
    support: none
    description: What it changes is secret.
author: HAL network
"""

EXAMPLES = r"""
- name: Make the new tokens
  rotated_secrets:
    secrets_file: inventories/production/vault.yml
    only: [tokens]
    clients: [mac]
  no_log: true
"""

RETURN = r"""
variables:
  description: The variables of the file as they are now.
  type: dict
  returned: success
kinds:
  description: Whose former secrets are to be refused in the end.
  type: list
  elements: str
  returned: when O(state=begun)
begun:
  description: Those of them that got new secrets now.
  type: list
  elements: str
  returned: when O(state=begun)
left_alone:
  description: Why other kinds are left alone, by kind.
  type: dict
  returned: when O(state=begun)
kept:
  description: Names of the devices whose tokens stay.
  type: list
  elements: str
  returned: when O(state=begun)
"""
