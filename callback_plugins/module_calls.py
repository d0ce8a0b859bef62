# SPDX-License-Identifier: Apache-2.0
"""Count the modules that a run starts on its hosts, by module and by role."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from ansible.executor.stats import AggregateStats
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: module_calls
type: aggregate
short_description: Count the modules that a run starts
description:
  - Prints at the end of a run how many modules it started, by module and by role. A task can start more than
    one, as M(ansible.builtin.template) does, or none, as M(ansible.builtin.set_fact) does.
  - Each costs a process on the host, and on the controller the making of its archive, so that their number
    decides how long a run takes that changes nothing.
requirements: [named in C(callbacks_enabled), as by ANSIBLE_CALLBACKS_ENABLED=module_calls]
"""


class CallbackModule(CallbackBase):
    """Notes every call of a module in a file, as tasks run in processes of their own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "module_calls"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._record = tempfile.NamedTemporaryFile("a+", prefix="module-calls-")  # noqa: SIM115 - for the run
        execute = ActionBase._execute_module

        def execute_and_note(action: Any, module_name: str | None = None, **options: Any) -> Any:
            role = action._task._role.get_name() if action._task._role else "playbooks"
            with Path(self._record.name).open("a") as record:
                record.write(f"{role} {(module_name or action._task.action).rpartition('.')[2]}\n")
            return execute(action, module_name, **options)

        ActionBase._execute_module = execute_and_note

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Print the counts."""
        self._record.seek(0)
        calls = [line.split() for line in self._record]
        self._display.banner("MODULE CALLS")
        for column, title in ((0, "role"), (1, "module")):
            self._display.display(f"by {title}:")
            for name, count in Counter(call[column] for call in calls).most_common():
                self._display.display(f"{count:6d}  {name}")
        self._display.display(f"{len(calls)} module calls")
