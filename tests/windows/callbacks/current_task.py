"""Note which task runs, for the recording of the simulated host: it is told only modules and arguments."""

from __future__ import annotations

import os
from pathlib import Path

from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: current_task
type: notification
short_description: Writes the name of the task that runs into a file
description:
  - Only for plays on one host, whose tasks run one after the other.
options: {}
requirements: ["E(SIMULATOR_TASK), the file"]
"""


class CallbackModule(CallbackBase):
    """The plugin as Ansible finds it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "current_task"

    def v2_runner_on_start(self, host: Host, task: Task) -> None:
        """Write the name before the task begins."""
        Path(os.environ["SIMULATOR_TASK"]).write_text(task.get_name())
