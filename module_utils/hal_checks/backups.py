"""The backups of the host that this runs on, as its own program tells them."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target

PROGRAM = "hal-backup"


def backup(target: Target) -> Found:
    """Check that nothing's last backup is too long ago."""
    try:
        done = subprocess.run(
            [PROGRAM, "status"], capture_output=True, text=True, timeout=target.timeout, check=False
        )
        items = json.loads(done.stdout)
    except FileNotFoundError:
        raise CheckFailed(f"there is no {PROGRAM}, so nothing is backed up", "Run site.yml") from None
    except (subprocess.TimeoutExpired, ValueError):
        raise CheckFailed(f"{PROGRAM} does not tell how the backups are", _look(target, "*")) from None
    late = [name for name, item in items.items() if item["late"]]
    if late:
        told = "; ".join(f"{name}: {_ago(items[name]['last_success'])}" for name in late)
        raise CheckFailed(f"the backup is late: {told}", _look(target, late[0]))
    return Found(
        ", ".join(f"{name} {_age(item['age_s'])}" for name, item in items.items()),
        details={name: item["age_s"] for name, item in items.items()},
    )


def _age(seconds: float | None) -> str:
    return "not yet backed up" if seconds is None else f"backed up {seconds:.0f} s ago"


def _ago(last: str | None) -> str:
    return (
        f"the last one was at {datetime.fromisoformat(last):%Y-%m-%d %H:%M} UTC" if last else "there was none"
    )


def _look(target: Target, item: str) -> str:
    return f"See whether the backup server is up, and on {target.host}: `journalctl -u 'hal-backup@{item}'`"
