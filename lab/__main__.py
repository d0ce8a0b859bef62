"""The command line of the lab."""

from __future__ import annotations

import argparse
import sys

from lab import machine, profiles, verbs
from lab.containers import PodmanError
from lab.drill import drill
from lab.machine import LabError
from lab.network import STATE


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="HAL's whole network on this machine.")
    commands = parser.add_subparsers(dest="verb", required=True)
    up = commands.add_parser("up", help="bring it up from whatever state it is in, and ask it something")
    up.add_argument("--profile", help="which hosts there are; without it, those of before")
    commands.add_parser("down", help="remove it; downloads stay")
    commands.add_parser("clear", help="remove every lab of this machine")
    commands.add_parser("shell", help="open a shell on a host").add_argument("host")
    client = commands.add_parser("client", help="run the hal command on the lab's client")
    client.add_argument("arguments", nargs=argparse.REMAINDER)
    lose = commands.add_parser("drill", help="lose a host for good while clients ask, bring it back, measure")
    lose.add_argument(
        "host", nargs="?", default="all", help="a virtual machine, `all` for each in turn, or `house`"
    )
    lose.add_argument("arguments", nargs=argparse.REMAINDER, help="of ansible-playbook, which brings it back")
    return parser.parse_args()


def run(options: argparse.Namespace) -> int:
    """Run a verb and return the exit code.

    Raises:
        LabError, PodmanError, ConnectionError, TimeoutError: it did not succeed; the text says why.
    """
    STATE.mkdir(mode=0o700, exist_ok=True)
    machine.configure_podman(STATE)
    match options.verb:
        case "up":
            verbs.up(options.profile or profiles.current())
        case "down":
            verbs.down()
        case "clear":
            verbs.clear()
        case "shell":
            return verbs.enter(options.host, "bash", "-l")
        case "client":
            return verbs.client(*options.arguments)
        case "drill":
            return 0 if drill(options.host, options.arguments) else 1
    return 0


def main() -> int:
    """Run what the command line says and return the exit code."""
    options = parse_arguments()
    try:
        return run(options)
    except (LabError, PodmanError, ConnectionError, TimeoutError) as error:
        print(f"{options.verb if options.verb == 'drill' else 'lab'}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
