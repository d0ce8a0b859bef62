"""Run ansible-playbook against a simulated Windows host.

Usage: simulate.py [--host qm1] [--record FILE] [--repeat N] -- PLAYBOOK [ansible-playbook's arguments]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from simulator.bench import Bench
from simulator.states import windows_server


def main() -> int:
    """Run the playbook and print its output, then what the host was asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="qm1", help="the host's name in the inventory")
    parser.add_argument("--record", type=Path, help="where the recording of the last run goes, as JSON")
    parser.add_argument("--repeat", type=int, default=1, help="how often to run against the same host")
    parser.add_argument("command", nargs="+", help="the playbook and other arguments of ansible-playbook")
    arguments = parser.parse_args()
    code = 0
    with Bench(arguments.host, windows_server()) as bench:
        for _ in range(arguments.repeat):
            run = bench.run(*arguments.command)
            code = code or run.code
            print(run.output)
        if arguments.record:
            arguments.record.write_text(json.dumps(run.calls, indent=2))
    return code


if __name__ == "__main__":
    sys.exit(main())
