# SPDX-License-Identifier: Apache-2.0
"""How to reach the API of Proxmox VE, for the documentation of modules that do."""


class ModuleDocFragment:
    """The fragment."""

    DOCUMENTATION = r"""
options:
  api_host:
    description: Name or address of a node of the cluster.
    type: str
    required: true
  api_port:
    description: Port of the API.
    type: int
    default: 8006
  api_user:
    description: User with realm, such as V(ansible@pve). For a token, the user who owns it.
    type: str
    required: true
  api_password:
    description: Password of the user. Give either this or a token.
    type: str
  api_token_id:
    description: Name of the API token, such as V(ansible) or V(ansible@pve!ansible).
    type: str
  api_token_secret:
    description: Secret of the API token.
    type: str
  api_timeout:
    description: Seconds to wait for the answer to one request.
    type: int
    default: 30
  validate_certs:
    description: Whether the certificate of the API must be trusted.
    type: bool
    default: true
  ca_path:
    description: File with the certificates to trust instead of the system's, such as a node's
      C(/etc/pve/pve-root-ca.pem).
    type: path
"""
