#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name; it runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: renewed_certificates
short_description: Renew the certificates of one's own authority that are due
description:
  - Renews a server certificate when it is over, has less than a third of its time left, is not for one of its
    names, or was issued by a former authority of the same name.
  - Renews the authority's own certificate by the same rule, with the same key, so that whoever trusts the old
    one trusts what is issued from then on, and the other way round. An authority that HAL has made can vouch
    for no name of the internet from then on.
  - Renews it, too, when its name constraints do not permit one of the names.
  - Leaves a certificate of any other issuer as it is; when it is due, RV(due) says so.
  - Writes what is new into the file of the secrets, in the place of what was there; an encrypted file stays
    encrypted with the same password. A secret that does not stand in that file is not renewed,
    and RV(due) says so.
options:
  secrets_file:
    description: The file of variables that holds the certificates. Nothing is done where there is none.
    type: path
    required: true
  secrets:
    description:
      - The secrets as the plays have them - C(network_ca_certificate), C(network_ca_key), and the
        certificates by their variables. Those that are empty are passed over.
    type: dict
    required: true
  certificates:
    description: By the variable that holds a certificate, the names and IPv4 addresses that it must be for.
    type: dict
    required: true
  authority_file:
    description: A copy of the authority's certificate that is to be the same.
    type: path
  at_once:
    description:
      - Whether to renew the server certificates that are not due, too, and the authority's own if it is of
        HAL's making and has no name constraints.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Returns what would be replaced, and writes nothing.
  diff_mode:
    support: none
    description: What it changes is secret.
author: HAL network
"""

EXAMPLES = r"""
- name: Renew certificates that are due
  renewed_certificates:
    secrets_file: inventories/production/vault.yml
    secrets:
      network_ca_certificate: "{{ network_ca_certificate }}"
      network_ca_key: "{{ network_ca_key }}"
      network_proxy_certificate: "{{ network_proxy_certificate }}"
    certificates:
      network_proxy_certificate: [haproxy, 192.0.2.100]
  no_log: true
"""

RETURN = r"""
replaced:
  description: By each certificate that was replaced, with its key, the one that is now in its place.
  type: dict
  returned: success
renewed:
  description: A sentence for each of them, with the reason.
  type: list
  elements: str
  returned: success
due:
  description: A sentence for each certificate that is due and that only a person can replace.
  type: list
  elements: str
  returned: success
"""
