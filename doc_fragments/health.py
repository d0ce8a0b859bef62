# SPDX-License-Identifier: Apache-2.0
"""What the health modules have in common: options, attributes and results of their documentation."""


class ModuleDocFragment:
    """The fragments, by the names that follow `health.`."""

    DOCUMENTATION = r"""
options:
  timeout:
    description: Seconds for the whole check. A service that drips its answer is cut off then, too.
    type: float
    default: 10
  wait:
    description:
      - Seconds within which the service must come to be healthy. It is checked again until then, so that one
        that has just been started gets its time, and one that is healthy costs a single check.
    type: float
    default: 0
  max_seconds:
    description: The check must not take longer than this many seconds. Not judged unless it is given.
    type: float
  fail_on_fault:
    description:
      - Whether the task fails when the service is not healthy.
      - With V(false) the task succeeds, and I(ok) of the result says how it is.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Only reads, so a check runs the same.
  diff_mode:
    support: none
    description: There is nothing to show.
"""

    RETURN = r"""
ok:
  description: Whether all is well.
  type: bool
  returned: always
message:
  description: What was found; or what is wrong, and what to do next.
  type: str
  returned: always
remedy:
  description: What to do next, alone. Empty if all is well.
  type: str
  returned: always
version:
  description: Of the program that answered, as it tells it itself; empty where it does not.
  type: str
  returned: always
seconds:
  description: How long the check took.
  type: float
  returned: always
"""

    CONNECTION = r"""
options:
  host:
    description: Name of the host that runs the service. It is used in messages, and to check a certificate.
    type: str
    required: true
  address:
    description: Where the service is reached, if not by the name of its host.
    type: str
    default: ""
  max_latency_ms:
    description:
      - Making a connection must not take longer than this many milliseconds; up to five are made, and the
        fastest counts, as a moment's load here is no delay of the network.
      - Not judged unless it is given. On a wired network V(10) is plenty.
    type: float
"""

    LATENCY = r"""
latency_ms:
  description: How long it took to make a connection, the fastest if there were several; null without one.
  type: float
  returned: always
"""

    TLS = r"""
options:
  tls:
    description: Whether the service encrypts.
    type: bool
    default: false
  ca_file:
    description: PEM of the authority that the service's certificate is checked with; the system's by default.
    type: path
    default: ""
"""
