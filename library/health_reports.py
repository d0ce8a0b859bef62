#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Write the report of the checks as JSON and as a page, with what is known of the runs before."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.health_page.records import as_json, complete, read_drills, record, replace
from ansible.module_utils.health_page.view import render

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
  template:
    description: The page's template, for Jinja with escaping.
    type: path
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
    template: templates/health.html.j2
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

ARGUMENT_SPEC = {
    "directory": {"type": "path", "required": True},
    "report": {"type": "dict", "required": True},
    "diagram": {"type": "str", "required": True},
    "template": {"type": "path", "required": True},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    directory = Path(module.params["directory"])
    page = directory / "health.html"
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        runs, damaged = record(directory, module.params["report"])
        drills, no_drills = read_drills(directory)
        report = complete(module.params["report"], runs, drills, [*damaged, *no_drills])
        replace(directory / "health.json", as_json(report))
        replace(page, render(report, module.params["diagram"], Path(module.params["template"])))
    except OSError as error:
        module.fail_json(
            msg=f"The report cannot be written: {error}. Make {directory} writable, or move that file away."
        )
    for note in report["notes"]:
        module.warn(note)
    module.exit_json(changed=False, page=str(page), runs=len(runs))


if __name__ == "__main__":
    main()
