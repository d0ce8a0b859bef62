#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check how HAProxy itself sees its servers, queues and sessions."""

from __future__ import annotations

from ansible.module_utils.hal_checks.target import HAPROXY_SOCKET
from ansible.module_utils.health_module import COMMON_SPEC, TLS_SPEC, run

DOCUMENTATION = r"""
module: haproxy_health
short_description: Check how HAProxy itself sees its servers, queues and sessions
description:
  - Reads HAProxy's statistics. Every server must be up and every back end must have one; queues and the share
    of sessions in use are compared with limits.
  - By default it reads the control socket, on the proxy itself. With I(control_socket) empty it reads a page
    of statistics over HTTP, which can be done from elsewhere.
extends_documentation_fragment:
  - health
  - health.tls
options:
  control_socket:
    description: HAProxy's control socket on this host. Empty to read the page of statistics instead.
    type: str
    default: /run/haproxy/admin.sock
  host:
    description: Name of the proxy, in messages and, over HTTP, to check its certificate.
    type: str
    default: this host
  address:
    description: Where the page of statistics is, if not by the name of the host.
    type: str
    default: ""
  port:
    description: Port of the page of statistics.
    type: int
    default: 8404
  path:
    description: Path of the page of statistics, as CSV.
    type: str
    default: /stats;csv
  backends:
    description: The back ends whose servers must be up. By default all of them.
    type: list
    elements: str
    default: []
  servers_up:
    description:
      - Whether every server must be up, and every back end have one. V(false) for a proxy that may come up
        before what is behind it.
    type: bool
    default: true
  unit:
    description: Its systemd unit, which the advice names when it does not answer.
    type: str
    default: haproxy
  max_queue:
    description: No more than this many requests may wait at any back end. Not judged unless it is given.
    type: int
  max_sessions_percent:
    description: No front end may use more than this share of its sessions. Not judged unless it is given.
    type: float
author: HAL network
"""

EXAMPLES = r"""
- name: Check that the proxy has all its servers and nobody waits
  haproxy_health:
    max_queue: 10
    max_sessions_percent: 80
"""

RETURN = r"""
extends_documentation_fragment:
  - health
  - health.latency
details:
  description: The state of each of the I(servers), the length of the I(queues), the number of I(sessions).
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    COMMON_SPEC
    | TLS_SPEC
    | {
        "control_socket": {"type": "str", "default": HAPROXY_SOCKET},
        "host": {"type": "str", "default": "this host"},
        "address": {"type": "str", "default": ""},
        "port": {"type": "int", "default": 8404},
        "path": {"type": "str", "default": "/stats;csv"},
        "backends": {"type": "list", "elements": "str", "default": []},
        "servers_up": {"type": "bool", "default": True},
        "unit": {"type": "str", "default": "haproxy"},
        "max_queue": {"type": "int"},
        "max_sessions_percent": {"type": "float"},
    }
)


def main() -> None:
    run("haproxy", ARGUMENT_SPEC, {"max_queue": "queue", "max_sessions_percent": "sessions_percent"})


if __name__ == "__main__":
    main()
