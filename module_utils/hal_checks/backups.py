"""The backups of the host that this runs on, and those it keeps of others, as its own programs tell them."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target

PROGRAM = "hal-backup"
KEEPER = "hal-backup-maintenance"
TASKS = r"Get-ScheduledTask -TaskPath \HAL\ | Get-ScheduledTaskInfo"
DAY_S = 86400
# For how long a proof counts, that is tried every week; so says the alert, too (monitoring_proof_days).
PROVEN_FOR_S = 15 * DAY_S
NEWS = timedelta(days=1)  # for as long it is told how a host got its data


def backup(target: Target) -> Found:
    """Check that nothing's last backup is too long ago, and that the server still has it.

    The details say of each item whether its data is `present`, and by `age_s` when that was backed up.
    """
    try:
        done = subprocess.run(
            [PROGRAM, "status"], capture_output=True, text=True, timeout=target.timeout, check=False
        )
        items = json.loads(done.stdout)
    except FileNotFoundError:
        raise CheckFailed(f"there is no {PROGRAM}, so nothing is backed up", "Run site.yml") from None
    except (subprocess.TimeoutExpired, ValueError):
        raise CheckFailed(f"{PROGRAM} does not tell how the backups are", _look(target, "*")) from None
    details = {
        name: {key: item.get(key) for key in ("present", "age_s", "proven_s")} for name, item in items.items()
    }
    if faults := {name: item["fault"] for name, item in items.items() if item.get("fault")}:
        raise CheckFailed("; ".join(faults.values()), _mend(target, *next(iter(faults.items()))), details)
    if refused := [item["refused"] for item in items.values() if item.get("refused")]:
        told, _, remedy = refused[0].partition(". ")
        raise CheckFailed(told, remedy, details)
    lost = [name for name, item in items.items() if item.get("on_server") is False]
    if lost:
        told = f"the backup server no longer has the last backup of {', '.join(lost)}"
        raise CheckFailed(told, f"Back up now: `hal-backup backup` on {target.host}", details)
    late = [name for name, item in items.items() if item["late"]]
    if late:
        told = "; ".join(f"{name}: {_ago(items[name]['last_success'])}" for name in late)
        raise CheckFailed(f"the backup is late: {told}", _look(target, late[0]), details)
    if old := [name for name, item in items.items() if (item.get("proven_s") or 0) > PROVEN_FOR_S]:
        told = ", ".join(f"{name}{_proof(items[name]['proven_s'])}" for name in old)
        prove = f"On {target.host}: `hal-backup prove {old[0]}` says what is wrong"
        raise CheckFailed(f"no backup was restored for a trial in time: {told}", prove, details)
    told = ", ".join(
        f"{name} {_age(item['age_s'])}{_proof(item.get('proven_s'))}{_origin(item.get('origin'))}"
        for name, item in items.items()
    )
    return Found(told, details=details)


def snapshots(target: Target) -> Found:
    """Check that no backup is too old that this host keeps of those that do not tell it themselves."""
    try:
        done = subprocess.run(
            [KEEPER, "--ages"], capture_output=True, text=True, timeout=target.timeout, check=False
        )
        hosts = json.loads(done.stdout)
    except FileNotFoundError:
        raise CheckFailed(
            f"there is no {KEEPER}, so nobody looks after the backups", "Run site.yml"
        ) from None
    except (subprocess.TimeoutExpired, ValueError):
        look = f"On {target.host}: `{KEEPER} --ages` says why"
        raise CheckFailed(f"{KEEPER} does not tell how old the backups are", look) from None
    items = {(host, name): item for host, of_host in hosts.items() for name, item in of_host.items()}
    if faults := {host: item["fault"] for (host, _), item in items.items() if item["fault"]}:
        told = "; ".join(f"the repository of {host} does not tell: {fault}" for host, fault in faults.items())
        raise CheckFailed(told, f"On {target.host}: `{KEEPER} --check`", hosts)
    late = [
        f"{name} of {host}: {_age(item['age_s'] if item['last'] else None)}"
        for (host, name), item in items.items()
        if item["late"]
    ]
    if late:
        look = (
            "See there the events 201 of the source HAL in the log Application, and whether the task runs: "
        )
        raise CheckFailed(f"the backup is late: {'; '.join(late)}", f"{look}`{TASKS}`", hosts)
    told = ", ".join(
        f"{host}: {name} {_age(item['age_s'] if item['last'] else None)}"
        for (host, name), item in items.items()
    )
    return Found(told, details=hosts)


def _origin(record: dict[str, Any] | None) -> str:
    """Return how an item got its data, while that is news."""
    if record is None:
        return ""
    empty = "started_empty_at" in record
    since = datetime.fromisoformat(record["started_empty_at" if empty else "restored_at"])
    if datetime.now(UTC) - since > NEWS:
        return ""
    if empty:
        return " (started empty, as declared)"
    held = f"{sum(record['rows'].values())} rows" if record["rows"] else f"{record['files']} file(s)"
    return f" (restored from {record['snapshot'][:8]} of {record['taken_at']}, {held})"


def _proof(seconds: float | None) -> str:
    """Return when a backup was proven to be restorable last."""
    if seconds is None:
        return ""
    days = seconds / DAY_S
    return f", proven restorable {f'{days:.0f} days' if days >= 2 else f'{seconds / 3600:.0f} h'} ago"


def _age(seconds: float | None) -> str:
    return "not yet backed up" if seconds is None else f"backed up {seconds:.0f} s ago"


def _ago(last: str | None) -> str:
    return (
        f"the last one was at {datetime.fromisoformat(last):%Y-%m-%d %H:%M} UTC" if last else "there was none"
    )


def _mend(target: Target, item: str, fault: str) -> str:
    if "damaged" not in fault:
        return f"On {target.host}: `fuser -v` and the file's path tell which process holds it"
    restore = f"ansible-playbook playbooks/restore.yml -e host={target.host} -e item={item} -e overwrite=true"
    return f"Its last backup takes its place, and what is there is kept aside: `{restore}`. Then run site.yml"


def _look(target: Target, item: str) -> str:
    return f"See whether the backup server is up, and on {target.host}: `journalctl -u 'hal-backup@{item}'`"
