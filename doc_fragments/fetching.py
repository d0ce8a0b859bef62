# SPDX-License-Identifier: Apache-2.0
"""What the modules that keep downloads have in common: how they tell people how far they are."""


class ModuleDocFragment:
    """The fragments, by the names that follow `fetching.`."""

    DOCUMENTATION = r"""
options:
  report_after:
    description:
      - Seconds after which the module returns, if the server can send the rest alone, with RV(complete) false
        and RV(progress). A task with C(until) and C(retries) calls it again; so people see how far it is.
      - V(0) stands for never.
    type: int
    default: 0
"""

    RETURN = r"""
complete:
  description: Whether all is there; false only with O(report_after).
  type: bool
  returned: success
progress:
  description: How far it is.
  type: str
  returned: when RV(complete) is false
  sample: "llama3:latest: 1.2 of 4.7 GB"
"""
