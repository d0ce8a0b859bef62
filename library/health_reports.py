#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""The documentation of the action plugin of this name; it runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: health_reports
short_description: Write the report of the checks as JSON and as a page
description:
  - Adds the run to C(health-history.jsonl), which keeps the last 50 of each network, one JSON object a line -
    V(at), V(network), V(ok), V(seconds) and V(checks), the milliseconds of each check by its name, V(null) if
    it failed.
  - Writes C(health.json), the report with the timings of its checks over these runs, and the drills, whose
    files, C(drill-*.json), are beside it.
  - Writes C(health.html), the same as a page that needs nothing but itself.
  - What is damaged in the history or in a drill is left out, with a warning.
  - Each file is replaced as a whole. A report is no change of the network, so that nothing is ever changed.
options:
  directory:
    description: Where the files are. It is created.
    type: path
    required: true
  report:
    description: What the filter C(health_report) returned.
    type: dict
    required: true
  diagram:
    description: The network with its state, as an SVG element.
    type: str
    required: true
attributes:
  check_mode:
    support: none
    description: Acts in check mode, too. The checks do, and their result is told.
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Write the report
  health_reports:
    directory: reports
    report: "{{ health_report }}"
    diagram: "{{ health_diagram }}"
"""

RETURN = r"""
page:
  description: Path of the page.
  type: str
  returned: success
runs:
  description: How many runs of this network are known, this one included.
  type: int
  returned: success
"""
