"""The gateway and the proxy while one address floods them: `python -m bench.floods`.

For each kind of flood a client of another address asks before it and meanwhile: the gateway by text;
through the proxy, HAProxy as the role configures it, by text and with recordings for speech, each time with
a connection of its own. Printed are how long its turns took, half of them and the slowest, and the memory
of what is flooded in KiB: before, after a first flood and after a second one. It ends with exit code 1 if
half of the turns took ten times as long as in quiet or longer, one failed, or a second flood left a tenth
more memory taken than the first. It takes about three minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.unit.network.proxied import Proxy

from bench.attacker import AT_THE_PROXY, KINDS
from bench.gateway import GATEWAY, LISTENER
from bench.processes import Program, client, private_kib, result

TIMES = 10
NOTICED_MS = 100  # nobody hears a delay that is shorter, however much longer than in quiet it is
GROWTH = 1.1
SETTLE_S = 15  # within which what a flood has taken must be let go; closing takes ten seconds

type Memory = Callable[[], int]
type Flooded = tuple[int, Memory, list[str]]


def slower(quiet_ms: float, flooded_ms: float) -> bool:
    """Tell whether a person is kept waiting by a flood."""
    return flooded_ms > max(TIMES * quiet_ms, NOTICED_MS)


def grown(first_kib: int, second_kib: int) -> bool:
    """Tell whether floods take memory that is not used again by the next one."""
    return second_kib > GROWTH * first_kib


def settled(memory: Memory, first_kib: int) -> int:
    """Return the memory in KiB once it is no more than after the first flood, or after SETTLE_S."""
    end = time.monotonic() + SETTLE_S
    while grown(first_kib, now := memory()) and time.monotonic() < end:
        time.sleep(0.1)
    return now


@contextlib.contextmanager
def gateway(listener: int, **settings: object) -> Iterator[Flooded]:
    """Run a gateway, which remembers no attacker; yield where it is flooded, its memory, and what asks it."""
    own = {
        "HAL_GATEWAY_HOST": "127.0.0.1",
        "HAL_GATEWAY_PORT": 0,
        "HAL_GATEWAY_LISTENER_PORT": listener,
    }
    with Program(GATEWAY, **own | settings) as program:
        yield program.port, lambda: program.memory_kib, [str(program.port)]


@contextlib.contextmanager
def proxy(listener: int) -> Iterator[Flooded]:
    """Run HAProxy before a gateway and before what stands in for speech; yield the same of it."""
    unlimited = {"HAL_GATEWAY_ADDRESS_HANDSHAKES_PER_MINUTE": 0}  # all come from the proxy
    with (
        gateway(listener, **unlimited) as (port, *_),
        tempfile.TemporaryDirectory() as directory,
        Proxy(Path(directory), gateway=port, haproxy_unlimited_sources=[]).served() as served,
    ):
        asked = [f"wss://127.0.0.1:{served.tls}/ws", f"https://127.0.0.1:{served.tls}/transcribe"]
        yield served.tls, lambda: private_kib(served.process), asked


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
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    faults = []
    heads = {
        "": 38,
        "strikes": 12,
        "quiet": 9,
        "flooded": 9,
        "slowest": 9,
        "before": 11,
        "after one": 11,
        "two": 11,
    }
    print("".join(f"{head:>{width}}" for head, width in heads.items()))
    with Program(LISTENER) as listener:
        for kind in options.kinds or KINDS:
            with (proxy if kind in AT_THE_PROXY else gateway)(listener.port) as flooded:
                faults += measure(kind, min(options.seconds, 60), flooded)
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


def measure(kind: str, seconds: float, flooded: Flooded) -> list[str]:
    """Flood what runs once to warm it up, then once for each that asks; print it, return what is wrong."""
    port, memory, askers = flooded
    faults = []
    before = memory()
    quiet = [statistics.median(result(client("bench.asker", asked, seconds / 2))) for asked in askers]
    result(client("bench.attacker", port, kind, seconds))
    first = memory()
    for asked, quiet_ms in zip(askers, quiet, strict=True):
        attacker = client("bench.attacker", port, kind, seconds)
        answers = result(client("bench.asker", asked, seconds - 0.5))
        strikes, second = result(attacker), settled(memory, first)
        flooded_ms = statistics.median(answers)
        name = kind + {"wss": ", asked by text", "https": ", recordings"}.get(asked.partition(":")[0], "")
        if slower(quiet_ms, flooded_ms):
            faults.append(f"People are kept waiting by: {name}")
        if grown(first, second):
            faults.append(f"Memory is lost by: {name}")
        print(f"{name:38}{strikes:12,}{quiet_ms:9.1f}{flooded_ms:9.1f}{max(answers):9.1f}", end="")
        print(f"{before:9,} K{first:9,} K{second:9,} K")
    return faults


if __name__ == "__main__":
    sys.exit(main())
