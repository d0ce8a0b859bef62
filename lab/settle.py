"""What goes before a loss: clients that are answered, and backups that hold what they said."""

from __future__ import annotations

import random

from lab import contents, traffic
from lab.containers import Lab
from lab.drill_report import RPO_LIMIT_S
from lab.machine import LabError
from lab.traffic import Traffic

SETTLE_TIMEOUT_S = 90


def settle(lab: Lab, host: str, clients: Traffic) -> list[str]:
    """Wait until the clients are answered, and what they asked is backed up where that is done often.

    The loss comes at a random moment between two backups, as losses do.

    Returns:
        The items of the host that are backed up.

    Raises:
        LabError: the clients are not answered, or an item is not backed up.
    """
    began = traffic.now()
    if not clients.wait_all_answered(began, SETTLE_TIMEOUT_S):
        silent = sorted(clients.names - traffic.answered(clients.turns, began).keys())
        raise LabError(f"Not answered before the drill: {', '.join(silent)}. `make health` says why.")
    answered = traffic.now()
    items = contents.backups(lab, host)
    frequent = {name: item for name, item in items.items() if item["period_seconds"] <= RPO_LIMIT_S}
    for name, item in frequent.items():
        print(f"Waiting for a backup of {name}, and then for a random moment …", flush=True)

        def is_backed_up(_: list[traffic.Turn], name: str = name) -> bool:
            return contents.backups(lab, host)[name][contents.LAST_SUCCESS] > answered

        if not clients.wait_until(is_backed_up, item["period_seconds"] + SETTLE_TIMEOUT_S):
            raise LabError(f"{name} on {host} is not backed up: `hal-backup status` there says why.")
        clients.wait_until(lambda _: False, random.uniform(0, item["period_seconds"]))  # noqa: S311 - no secret
    return list(items)
