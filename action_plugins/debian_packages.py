# SPDX-License-Identifier: Apache-2.0
"""Install or remove Debian packages; library/debian_packages.py documents it."""

from __future__ import annotations

import shlex
from typing import Any

from ansible.plugins.action import ActionBase

ARGUMENT_SPEC = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
INSTALLED = "ii"
CONFIGURED_ONLY = "rc"  # removed, with its settings left
LISTS_VALID_S = 86400
# What apt says when its lists are young and still of no use: a new image has none, an archive has moved on.
LISTS_OF_NO_USE = ("No package matching", "Failed to fetch", "404")
LOCK_TIMEOUT_S = 1800  # an upgrade at the first boot may take this long
# Prints the command that holds apt's lock, if one does; /proc/locks has a lock's file as `major:minor:inode`
# (proc_locks(5)).
LOCK_HOLDER = """\
inode=$(stat --format=%i /var/lib/dpkg/lock-frontend)
for pid in $(awk -v end=":$inode$" '$6 ~ end {print $5}' /proc/locks); do
  tr '\\0' ' ' </proc/$pid/cmdline
done
"""
# On Ubuntu needrestart would restart services behind our back, among them those that roles restart in order.
ENVIRONMENT = {"NEEDRESTART_SUSPEND": "1"}


class ActionModule(ActionBase):
    """Asks dpkg, which takes no time, and calls apt only for what is missing."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return whether anything changes, and what apt returned if it was called."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        present = given["state"] == "present"
        if self._is_so(given["name"], present=present):
            return result | {"changed": False}
        self._tell_who_is_waited_for(task_vars)
        self._task.environment = [*(self._task.environment or []), ENVIRONMENT]
        arguments = {"name": given["name"], "state": given["state"], "lock_timeout": LOCK_TIMEOUT_S}
        if present:
            arguments["install_recommends"] = False
        else:
            arguments["purge"] = True
        if present and not self._task.check_mode:
            arguments |= {"update_cache": True, "cache_valid_time": LISTS_VALID_S}
        done = self._apt(arguments, task_vars)
        if done.get("failed") and "cache_valid_time" in arguments:
            said = f"{done.get('msg', '')} {done.get('stderr', '')}"
            if any(words in said for words in LISTS_OF_NO_USE):
                done = self._apt(arguments | {"cache_valid_time": 0}, task_vars)
        return result | done

    def _tell_who_is_waited_for(self, task_vars: dict[str, Any] | None) -> None:
        """Print what uses apt just now, as the wait for it may be long."""
        holder = self._low_level_execute_command(LOCK_HOLDER)["stdout"].strip()
        if holder:
            host = (task_vars or {}).get("inventory_hostname", "the host")
            limit = f"{LOCK_TIMEOUT_S // 60} min at most"
            self._display.display(f"{host}: apt is in use by `{holder}`; waiting for it, {limit}")

    def _apt(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Run Ansible's own module for apt."""
        done: dict[str, Any] = self._execute_module(
            "ansible.builtin.apt", module_args=arguments, task_vars=task_vars
        )
        return done

    def _is_so(self, names: list[str], *, present: bool) -> bool:
        """Return whether dpkg has all of these packages, or none of them."""
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package}\\n", "--", *names]
        said = self._low_level_execute_command(f"{shlex.join(query)} 2>/dev/null")
        states = {name: state for state, name in map(str.split, said["stdout_lines"])}
        if present:
            return all(states.get(name) == INSTALLED for name in names)
        return not {INSTALLED, CONFIGURED_ONLY} & {state for name, state in states.items() if name in names}
