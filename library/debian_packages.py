#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name, which calls ansible.builtin.apt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: debian_packages
short_description: Install or remove Debian packages as every role does
description:
  - Asks dpkg, which takes no time, and calls M(ansible.builtin.apt) only if something is to be done.
  - Packages are installed without those that they only recommend, and removed with their settings.
  - Lists of packages that are older than a day are read again before an installation.
  - Waits up to half an hour for apt's lock, which a new machine holds while cloud-init upgrades its packages.
options:
  name:
    description: Names of packages, without versions.
    type: list
    elements: str
    required: true
  state:
    description: Whether they are there.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Does not read the lists of packages.
  diff_mode:
    support: full
    description: What apt shows.
author: HAL network
"""

EXAMPLES = r"""
- name: Install HAProxy
  debian_packages: {name: [haproxy]}
"""

RETURN = r"""
stdout:
  description: What apt said.
  type: str
  returned: when apt was called
"""
