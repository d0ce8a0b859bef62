#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name; it runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_kit
short_description: Write what another controller needs into one encrypted file, or tell how old that is
description:
  - Takes every file below the inventory and below the controller's local directory, the SSH keys and the
    vault's password, and writes them as a compressed tar archive, encrypted as C(ansible-vault) does it. On
    any computer C(ansible-vault decrypt --output - KIT | tar tz) lists it.
  - The vault's password is the one that opens the vault, wherever Ansible has it from - a file, a program or
    the keyboard.
  - Kits themselves (C(*.kit), C(*.kit.html), and where the last one was written) are not taken.
  - The passphrase, 16 characters or more, stands in the variable C(HAL_KIT_PASSPHRASE) of the environment or
    in the file that C(HAL_KIT_PASSPHRASE_FILE) names; else it is asked for, twice.
  - The file can be read by its owner alone, is there as a whole or not at all, and replaces none unasked.
  - In the local directory C(recovery-kit.json) remembers digests of what the last kit holds. Without O(path)
    they are compared with what there is now, nothing is written, and what cannot be read is told in RV(age).
options:
  controller:
    description: What this computer has, as C(network_controller) in playbooks/group_vars/all.yml says.
    type: dict
    required: true
    suboptions:
      project:
        description: The checkout.
        type: path
        required: true
      inventory:
        description: Directory of the inventory. All that is in it is taken, but for links into the checkout.
        type: path
        required: true
      local:
        description: Directory of what the plays need and the repository may not hold. All in it is taken.
        type: path
        required: true
      leaves_out:
        description: Patterns of names directly in O(controller.local) that are not taken.
        type: list
        elements: str
        default: []
      administrator_key:
        description: The public SSH key whose private part is looked for in C(~/.ssh).
        type: str
        default: ""
      key_files:
        description: The private SSH keys that the inventory names, which are taken instead.
        type: list
        elements: path
        default: []
  path:
    description: Where the kit is written.
    type: path
  on_paper:
    description:
      - Variables that open the backups. With the vault's password they are encrypted as the kit is, for the
        QR codes of the sheet. Empty ones are left out.
    type: dict
    default: {}
  commit:
    description: The checkout's commit, which the kit tells.
    type: str
    default: ""
  replace:
    description: Whether a file that is there may be replaced.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: A check writes nothing.
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Tell how old the recovery kit is
  recovery_kit:
    controller: "{{ network_controller }}"
  register: kit
"""

RETURN = r"""
age:
  description: Whether the last kit holds what there is now, as a sentence.
  type: str
  returned: success
exists:
  description: Whether a kit was ever made here.
  type: bool
  returned: success
names:
  description: The files in the kit, as C(home/…), C(project/…) or C(root/…).
  type: list
  elements: str
  returned: when O(path) is given
lacks:
  description: A sentence for everything that another controller needs and the kit lacks.
  type: list
  elements: str
  returned: when O(path) is given
codes:
  description: The QR codes for the sheet, in their order, as SVG.
  type: list
  elements: str
  returned: when O(path) is given
made_at:
  description: When the kit was made.
  type: str
  returned: when O(path) is given
"""
