"""HAProxy's own view: which servers are up, what waits, and how many sessions there are."""

from __future__ import annotations

import csv
import socket

from ansible.module_utils.hal_checks.connections import read_all
from ansible.module_utils.hal_checks.http import answer
from ansible.module_utils.hal_checks.result import CheckFailed, Found, Measure
from ansible.module_utils.hal_checks.target import Target

COLUMNS = {"pxname", "svname", "qcur", "scur", "slim", "status", "check_status", "last_chk"}
MARK = "# pxname,"  # the statistics begin with the names of their columns
CONFIGURATION = "/etc/haproxy/haproxy.cfg"


def _ask(target: Target) -> str:
    """Return what HAProxy says of itself (from its control socket) and its statistics, as CSV."""
    if not target.control_socket:
        return answer(target, "GET", target.path).decode(errors="replace")
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(target.timeout)
            connection.connect(target.control_socket)
            connection.sendall(b"show info;show stat\n")
            return read_all(connection).decode(errors="replace")
    except FileNotFoundError:
        raise CheckFailed(f"{target.control_socket} does not exist: the service does not run") from None
    except PermissionError:
        raise CheckFailed(f"{target.control_socket} may not be used", "Check with `become: true`") from None
    except OSError as error:
        raise CheckFailed(f"HAProxy does not answer on {target.control_socket}: {error}") from error


def parse(text: str) -> tuple[str, list[dict[str, str]]]:
    """Return HAProxy's version, empty if it is not told, and the rows of its statistics.

    Args:
        text: what `show info;show stat` answers, or the statistics alone, as a page `…;csv` has them.

    Raises:
        CheckFailed: there are no statistics in it.
    """
    about, mark, table = text.partition(MARK)
    rows = list(csv.DictReader(f"pxname,{table}".splitlines())) if mark else []
    if not rows or not rows[0].keys() >= COLUMNS or any(None in row.values() for row in rows):
        raise CheckFailed(f"what answers there does not tell HAProxy's statistics but {text[:60]!r}")
    said = dict(line.split(": ", 1) for line in about.splitlines() if ": " in line)
    return said.get("Version", ""), [row for row in rows if row["pxname"]]


def _fault(row: dict[str, str]) -> str:
    """Return what is wrong with a server or a back end, or nothing."""
    name = f"{row['pxname']}/{row['svname']}"
    reason = row["last_chk"] or row["check_status"].lstrip("* ")  # the star: a check is under way
    if row["svname"] == "BACKEND":
        return "" if row["status"] == "UP" else f"{row['pxname']} has no server to lead to"
    if row["status"].startswith(("MAINT", "DRAIN")):
        return f"{name} was taken out of service by hand ({row['status']})"
    # Of a server without a check HAProxy knows nothing: a household's sites can have such.
    return "" if row["status"].startswith(("UP", "no check")) else f"{name} is {row['status']} ({reason})"


def haproxy(target: Target) -> Found:
    """Check that HAProxy sees every server up, if they must be, and that nobody waits."""
    text = _ask(target)
    if text.startswith("Name: HAProxy") and MARK not in text:  # broken off, as by a restart
        text = _ask(target)
    version, rows = parse(text)
    servers = [row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")]
    backends = [row for row in rows if row["svname"] == "BACKEND"]
    frontends = [row for row in rows if row["svname"] == "FRONTEND"]
    needed = set(target.backends) or {row["pxname"] for row in backends}
    faults = [fault for row in [*servers, *backends] if row["pxname"] in needed and (fault := _fault(row))]
    others = [fault for row in servers if row["pxname"] not in needed and (fault := _fault(row))]
    if faults and target.servers_up:
        by_hand = any("by hand" in fault for fault in faults)
        order = f'echo "set server BACKEND/SERVER state ready" | socat - {target.control_socket}'
        remedy = (
            f"On {target.host}: `{order}`"
            if by_hand
            else "See what the checks say of those servers themselves"
        )
        raise CheckFailed("; ".join(faults), remedy)
    if not servers:
        raise CheckFailed("HAProxy knows no servers", f"Look at {CONFIGURATION} on {target.host}")
    served = {row["pxname"] for row in servers}
    waiting = max(backends, key=lambda row: int(row["qcur"] or 0), default=servers[0])
    measures = [Measure("queue", float(waiting["qcur"] or 0), f"back end {waiting['pxname']}")]
    limited = [row for row in frontends if int(row["slim"] or 0)]
    if limited:
        shares = {row["pxname"]: 100 * int(row["scur"] or 0) / int(row["slim"]) for row in limited}
        fullest = max(shares, key=lambda name: shares[name])
        measures.append(Measure("sessions_percent", shares[fullest], f"front end {fullest}"))
    details = {
        "servers": {f"{row['pxname']}/{row['svname']}": row["status"] for row in servers},
        # A back end without servers is a table of addresses that are counted.
        "queues": {row["pxname"]: int(row["qcur"] or 0) for row in backends if row["pxname"] in served},
        "sessions": {row["pxname"]: int(row["scur"] or 0) for row in frontends},
    }
    up = sum(row["status"].startswith("UP") for row in servers)
    return Found("; ".join([f"{up} servers up", *others]), version, measures, details)
