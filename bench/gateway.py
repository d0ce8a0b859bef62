"""The gateway beside a bare `websockets` server that decodes the same frames: `python -m bench.gateway`.

Printed are, for each server and as a ratio or difference:

- processor time while 150 clients speak, 31 chunks of 32 ms a second each;
- how long a typed question takes meanwhile, half of them and 99 of 100; both ask a listener over TCP;
- the memory of a session that says nothing, of 10,000.

The bare server runs on asyncio's own loop, the gateway on the one that it has in a house. They take turns, so
that what else the machine does meets both; compare ratios, not figures. It takes about two minutes, and ends
by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
from dataclasses import dataclass, field

from bench.crowd import CHUNK_S
from bench.processes import Program, client, result

BARE = "from bench.servers import run_bare; run_bare({})"
LISTENER = "from bench.servers import run_listener; run_listener()"
GATEWAY = "from hal.gateway.main import main; main()"


@dataclass
class Server:
    """A server and what was found of it: processor seconds a second, milliseconds, KiB a session."""

    name: str
    program: Program
    load: list[float] = field(default_factory=list)
    answers_ms: list[float] = field(default_factory=list)
    session_kib: float = 0.0

    def percentile(self, percent: int) -> float:
        """Return how long so many of a hundred answers took at most, in milliseconds."""
        return statistics.quantiles(self.answers_ms, n=100)[percent - 1]

    def have_talk(self, talkers: int, seconds: float) -> None:
        """Measure one round of speaking, with a client that asks by text meanwhile."""
        crowd = client("bench.crowd", self.program.port, "talk", seconds, talkers)
        before = self.program.processor_s
        asker = client("bench.asker", self.program.port, seconds - 1)
        sent = result(crowd)
        self.load.append((self.program.processor_s - before) / (sent * CHUNK_S / talkers))
        self.answers_ms += result(asker)
        if sent < talkers:
            raise RuntimeError(f"{self.name} was sent {sent} chunks only")

    def measure_sessions(self, sessions: int) -> None:
        """Measure what sessions that say nothing cost."""
        before = self.program.memory_kib
        crowd = client("bench.crowd", self.program.port, "idle", 120, sessions)
        self.session_kib = (self.program.memory_kib - before) / sessions
        left = result(crowd)
        if left != sessions:
            raise RuntimeError(f"{self.name} kept {left} of {sessions} sessions")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talkers", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=8, help="of one round of speaking, at most 25")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--sessions", type=int, default=10_000)
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    sessions = min(options.sessions, limit - 200)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(Program(LISTENER))
        settings = {
            "HAL_GATEWAY_HOST": "127.0.0.1",
            "HAL_GATEWAY_PORT": 0,
            "HAL_GATEWAY_LISTENER_PORT": listener.port,
            "HAL_GATEWAY_MAX_SESSIONS": sessions + options.talkers,
            "HAL_GATEWAY_MAX_CONNECTIONS": sessions + options.talkers + 100,
            # The crowd stands for many people and has few addresses.
            "HAL_GATEWAY_ADDRESS_CONNECTIONS": 0,
            "HAL_GATEWAY_ADDRESS_SESSIONS": 0,
            "HAL_GATEWAY_ADDRESS_HANDSHAKES_PER_MINUTE": 0,
        }
        bare = Server("bare", stack.enter_context(Program(BARE.format(listener.port))))
        gateway = Server("gateway", stack.enter_context(Program(GATEWAY, **settings)))
        for number in range(options.rounds):
            for server in (bare, gateway) if number % 2 else (gateway, bare):
                server.have_talk(options.talkers, options.seconds)
        for server in (bare, gateway):
            server.measure_sessions(sessions)
    _report(bare, gateway, sessions)


def _report(bare: Server, gateway: Server, sessions: int) -> None:
    ratios = [ours / theirs for ours, theirs in zip(gateway.load, bare.load, strict=True)]
    print(f"{'':34}{'bare':>8}{'gateway':>9}")
    loads = [100 * statistics.median(server.load) for server in (bare, gateway)]
    print(f"{'processor, % of one core':34}{loads[0]:8.1f}{loads[1]:9.1f}", end="")
    print(f"   {statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})")
    for percent in (50, 99):
        times = bare.percentile(percent), gateway.percentile(percent)
        print(f"{f'answer to typed text, p{percent}, ms':34}{times[0]:8.1f}{times[1]:9.1f}", end="")
        print(f"   {times[1] - times[0]:+.1f} ms")
    name = f"memory of one of {sessions:,} sessions, KiB"
    print(f"{name:34}{bare.session_kib:8.1f}{gateway.session_kib:9.1f}")


if __name__ == "__main__":
    main()
