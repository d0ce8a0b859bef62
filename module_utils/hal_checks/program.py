"""The checks as a program: an order in JSON on standard input, the results in JSON on standard output.

An order holds what the module `service_checks` takes: {checks, origin} and, as needed,
{timeout, workers, token}.
"""

from __future__ import annotations

import json
import sys

from ansible.module_utils.hal_checks.runner import TIMEOUT_S, WORKERS, fault_in, run_checks, targets


def main() -> None:
    """Run the checks of an order; exit 1 with a sentence if it asks for what there is not."""
    order = json.loads(
        sys.stdin.buffer.read().decode("utf-8-sig")
    )  # Windows may begin with a byte order mark
    if fault := fault_in(order["checks"]):
        sys.exit(fault)
    checks = targets(order["checks"], order.get("timeout", TIMEOUT_S), order.get("token", ""))
    results = run_checks(checks, order["origin"], order.get("workers", WORKERS))
    json.dump({"results": results, "ok": all(result["ok"] for result in results)}, sys.stdout)
