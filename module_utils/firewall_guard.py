"""A timer that restores a firewall as it was before a change, also when the host was restarted meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

NAME = "hal-firewall-revert"
UNITS = Path("/etc/systemd/system")
KEPT = Path("/var/lib") / NAME  # what was there before the change that the timer guards
TIMER_UNIT = """[Unit]
Description=Undo the change of the firewall unless the controller has come back

[Timer]
OnActiveSec={seconds}s
AccuracySec=1s
RemainAfterElapse=no

[Install]
WantedBy=timers.target
"""
SERVICE_UNIT = """[Unit]
Description=Restore the firewall as it was before its last change
After=ufw.service pve-cluster.service

[Service]
Type=oneshot
{commands}
ExecStart=systemctl disable {timer}
"""


class FirewallGuard:
    """The timer. `armed` says whether it runs, once that was read."""

    def __init__(self, module: AnsibleModule) -> None:
        """Prepare; the module runs the commands, and fails when one of them does."""
        self._module = module
        self.armed = False

    def read(self) -> None:
        """Find out whether the timer runs."""
        self.armed = self._module.run_command(["systemctl", "is-active", f"{NAME}.timer"])[0] == 0

    def stop(self) -> None:
        """Let the change stand."""
        if self.armed:
            self._systemctl("disable", "--now", f"{NAME}.timer")
        self.armed = False

    def start(
        self, seconds: int, files: Iterable[Path], *, before: Sequence[str] = (), after: Sequence[str] = ()
    ) -> None:
        """Start the timer before a change; one that an earlier run left still restores what was there then.

        Args:
            seconds: when it restores the files.
            files: what the change may replace or create.
            before: commands to run before the files are restored.
            after: commands to run then.
        """
        left = self.armed and (UNITS / f"{NAME}.service").exists()
        self.stop()
        if not left:
            self._keep(files, before, after)
        (UNITS / f"{NAME}.timer").write_text(TIMER_UNIT.format(seconds=seconds))
        self._systemctl("daemon-reload")
        self._systemctl("enable", "--now", f"{NAME}.timer")  # enabled, so that it also runs after a restart
        self.armed = True

    def _systemctl(self, *words: str) -> None:
        self._module.run_command(["systemctl", *words], check_rc=True)

    def _keep(self, files: Iterable[Path], before: Sequence[str], after: Sequence[str]) -> None:
        """Copy the files, and write the unit that restores them."""
        shutil.rmtree(KEPT, ignore_errors=True)
        KEPT.mkdir(mode=0o700, parents=True)
        commands = [*before]
        for path in files:
            if path.exists():
                shutil.copy2(path, KEPT)
                commands.append(f"cp {KEPT / path.name} {path}")
            else:
                commands.append(f"rm --force {path}")
        text = "\n".join(f"ExecStart={command}" for command in [*commands, *after])
        (UNITS / f"{NAME}.service").write_text(SERVICE_UNIT.format(commands=text, timer=f"{NAME}.timer"))
