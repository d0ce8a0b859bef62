"""The command line of `hal`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from hal.client import commands
from hal.client.errors import EXIT_TURN_FAILED, ClientError, UsageError
from hal.client.output import show_failure
from hal.client.settings import PREFIX, load_settings
from hal.shared.container import ACCEPTED
from hal.shared.settings import setup_logging

EXIT_INTERRUPTED = 130

_EPILOG = """\
Settings: an option wins over the environment (HAL_GATEWAY_URL, HAL_SPEECH_URL, HAL_TOKEN_FILE, HAL_CA_FILE,
HAL_HEALTH_REPORT).
Exit codes: 0 answered and all is well, 1 the turn or a check failed, 2 wrong usage, 3 cannot connect.
With --json a failure is one JSON object on standard output, with "error" and "exit_code"."""

_COMPLETION = """\
Completion of commands, options and file names, for good:
  bash  hal completion bash > ~/.local/share/bash-completion/completions/hal
  zsh   hal completion zsh > ~/.zfunc/_hal, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with the usage and what is wrong with it, or with that as JSON if it was asked for."""
        if "--json" in sys.argv:
            show_failure(UsageError(f"{message}; see {self.prog} --help"), as_json=True)
            self.exit(UsageError.exit_code)
        super().error(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a failure is one sentence, on standard error or in JSON."""
    arguments = _parser().parse_args(argv)
    setup_logging("DEBUG" if arguments.verbose else "WARNING")
    options = {name: value for name, value in vars(arguments).items() if name.startswith(PREFIX) and value}
    try:
        code: int = arguments.run(arguments, load_settings(options, os.environ))
        sys.stdout.flush()
    except ClientError as error:
        show_failure(error, as_json=arguments.json)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output left; point it nowhere, or the interpreter complains as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_TURN_FAILED
    except Exception as error:
        if arguments.verbose:
            raise
        show_failure(
            ClientError(f"{type(error).__name__}: {error}; run again with -v for details"),
            as_json=arguments.json,
        )
        return EXIT_TURN_FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hal",
        description="Ask HAL by text or voice.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hal {version('hal')}")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = [_common_options()]

    ask = subcommands.add_parser("ask", parents=common, help="ask by text")
    ask.add_argument("question", nargs="*", help="without it, each line of standard input is asked")
    ask.add_argument("--speak", action="store_true", help="speak the answer too")
    ask.set_defaults(run=commands.ask)

    talk = subcommands.add_parser("talk", parents=common, help="ask by voice")
    talk.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help=f"a {ACCEPTED} file; without it, the microphone"
    )
    talk.add_argument("--speak", action="store_true", help="speak the answer too")
    talk.set_defaults(run=commands.talk)

    say = subcommands.add_parser(
        "say", parents=common, help="speak a question with HAL's voice and ask with it"
    )
    say.add_argument("question", nargs="+")
    say.add_argument("--speak", action="store_true", help="speak the answer too")
    say.set_defaults(run=commands.say)

    speech = subcommands.add_parser("speech", parents=common, help="write text as speech to a WAV file")
    speech.add_argument("text", nargs="+")
    speech.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.wav")
    speech.set_defaults(run=commands.speech)

    conformance = subcommands.add_parser(
        "conformance",
        parents=common,
        help="ask a QM voice listener the exchanges that every listener must pass",
    )
    conformance.add_argument("--address", required=True, metavar="HOST:PORT", help="the listener")
    conformance.add_argument("--exchanges", type=Path, metavar="FILE.yml", help="a set of your own")
    conformance.set_defaults(run=commands.conformance)

    status = subcommands.add_parser(
        "status", parents=common, help="show whether HAL can be reached, and how the whole network is"
    )
    status.add_argument(
        "--report",
        dest="HAL_HEALTH_REPORT",
        metavar="FILE",
        help="the network's health.json or - (default: that of the checkout that you are in)",
    )
    status.add_argument("--all", action="store_true", help="list every check of the network")
    status.set_defaults(run=commands.status)

    devices = subcommands.add_parser(
        "devices",
        help="on the controller: which devices have a token, and who gets or loses one",
        usage="hal devices list | add NAME [--replace] [--no-apply] | revoke NAME [--no-apply]",
    )
    devices.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    devices.set_defaults(run=commands.devices, json=False, verbose=False)

    completion = subcommands.add_parser(
        "completion",
        help="print what has a shell complete this command",
        epilog=_COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=["bash", "zsh"])
    completion.set_defaults(
        run=lambda arguments, _: commands.completion(arguments, parser), json=False, verbose=False
    )
    return parser


def _common_options() -> _Parser:
    """Return the options every command has; those for a setting are stored under its variable's name."""
    options = _Parser(add_help=False)
    options.add_argument("--url", dest="HAL_GATEWAY_URL", metavar="URL", help="gateway, ws:// or wss://")
    options.add_argument("--speech-url", dest="HAL_SPEECH_URL", metavar="URL", help="text-to-speech service")
    options.add_argument("--token-file", dest="HAL_TOKEN_FILE", metavar="FILE", help="this device's token")
    options.add_argument("--ca-file", dest="HAL_CA_FILE", metavar="FILE", help="the network's CA, PEM")
    options.add_argument(
        "--timeout", dest="HAL_TIMEOUT", metavar="SECONDS", help="for an answer (default 60)"
    )
    options.add_argument("--json", action="store_true", help="print JSON")
    options.add_argument("-v", "--verbose", action="store_true", help="log every message to standard error")
    return options


if __name__ == "__main__":
    sys.exit(main())
