"""The gateway while one address floods it: `python -m bench.floods`.

For each kind of flood a client of another address asks by text, before it and meanwhile. Printed are how long
its answers took, half of them and the slowest, and the gateway's memory. It ends with exit code 1 if half of
the answers took ten times as long as in quiet or longer, or one was not given. It takes about a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import sys

from bench.attacker import KINDS
from bench.gateway import GATEWAY, LISTENER
from bench.processes import Program, client, result

TIMES = 10
NOTICED_MS = 100  # nobody hears a delay that is shorter, however much longer than in quiet it is


def slower(quiet_ms: float, flooded_ms: float) -> bool:
    """Tell whether a person is kept waiting by a flood."""
    return flooded_ms > max(TIMES * quiet_ms, NOTICED_MS)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5, help="of each flood, at most 60")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"all of {', '.join(KINDS)} unless named")
    options = parser.parse_args()
    if unknown := set(options.kinds) - KINDS.keys():
        parser.error(f"there is no flood of {', '.join(sorted(unknown))}, but of {', '.join(KINDS)}")
    seconds = min(options.seconds, 60)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    kept_waiting = []
    print(f"{'':22}{'strikes':>12}{'quiet':>9}{'flooded':>9}{'slowest':>9}{'memory':>11}")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(Program(LISTENER))
        settings = {
            "HAL_GATEWAY_HOST": "127.0.0.1",
            "HAL_GATEWAY_PORT": 0,
            "HAL_GATEWAY_LISTENER_PORT": listener.port,
        }
        for kind in options.kinds or KINDS:  # each with a gateway of its own, which remembers no attacker
            with Program(GATEWAY, **settings) as gateway:
                quiet = statistics.median(result(client("bench.asker", gateway.port, seconds / 2)))
                attacker = client("bench.attacker", gateway.port, kind, seconds)
                answers = result(client("bench.asker", gateway.port, seconds - 0.5))
                strikes, memory = result(attacker), gateway.memory_kib
            flooded = statistics.median(answers)
            if slower(quiet, flooded):
                kept_waiting.append(kind)
            print(f"{kind:22}{strikes:12,}{quiet:9.1f}{flooded:9.1f}{max(answers):9.1f}{memory:9,} K")
    if kept_waiting:
        print(f"People are kept waiting by: {', '.join(kept_waiting)}", file=sys.stderr)
    return bool(kept_waiting)


if __name__ == "__main__":
    sys.exit(main())
