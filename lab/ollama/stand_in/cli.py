"""The command line: `ollama serve`, and the commands that ask a server."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NoReturn

import httpx

from . import VERSION
from .config import Config, SettingError

CONNECT_TIMEOUT_S = 5.0
MEBIBYTE = 1 << 20

type Command = Callable[["Client", argparse.Namespace], None]


class CommandError(Exception):
    """A command failed; the text says why."""


class Client:
    """Asks the server of OLLAMA_HOST."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is asked yet."""
        self._web = httpx.Client(
            base_url=url, timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S), trust_env=False
        )

    def ask(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        """Return a JSON answer.

        Raises:
            CommandError: there is none.
        """
        *_, last = [{}, *self.stream(method, path, **fields)]
        return last

    def stream(self, method: str, path: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Yield the lines of a streamed answer.

        Raises:
            CommandError: the server does not answer, or answers an error.
        """
        try:
            with self._web.stream(method, path, json=fields or None) as reply:
                for line in filter(None, reply.iter_lines()):
                    answer = json.loads(line)
                    if "error" in answer:
                        raise CommandError(answer["error"])
                    yield answer
                if reply.is_error:
                    raise CommandError(f"the server answered HTTP {reply.status_code}")
        except httpx.HTTPError as error:
            raise CommandError(
                f"could not connect to the server at {self._web.base_url}, run `ollama serve` first: {error}"
            ) from error
        except ValueError as error:
            raise CommandError(f"what answers at {self._web.base_url} is not Ollama") from error


def main() -> NoReturn:
    """Run a command; exit 0, 1 with one line on standard error, or 130 after Ctrl-C."""
    arguments = _parser().parse_args()
    try:
        config = Config.from_environment()
        if arguments.command == "serve":
            _serve(config)
        else:
            _COMMANDS[arguments.command](Client(config.url), arguments)
    except (CommandError, SettingError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ollama", description="A stand-in for Ollama, for the lab.")
    parser.add_argument("-v", "--version", action="version", version=f"ollama version is {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="start the server")
    commands.add_parser("list", aliases=["ls"], help="list the models").set_defaults(command="list")
    commands.add_parser("ps", help="list the models that are loaded")
    for name, text in (
        ("pull", "fetch a model"),
        ("show", "show a model"),
        ("rm", "remove a model"),
        ("run", "ask a model"),
    ):
        commands.add_parser(name, help=text).add_argument("model", metavar="MODEL")
    commands.choices["run"].add_argument("prompt", nargs="*", help="read from standard input unless given")
    return parser


def _serve(config: Config) -> None:
    """Serve until a signal comes."""
    from .server import serve  # noqa: PLC0415 - the other commands start the faster without it

    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s: %(message)s")
    if not serve(config):
        raise CommandError(f"cannot listen on {config.host}:{config.port}")


def _list(client: Client, _: argparse.Namespace) -> None:
    rows = [("NAME", "ID", "SIZE", "MODIFIED")]
    for model in client.ask("GET", "/api/tags")["models"]:
        modified = datetime.fromisoformat(model["modified_at"]).strftime("%Y-%m-%d %H:%M")
        rows.append((model["name"], model["digest"][:12], _mebibytes(model["size"]), modified))
    _table(rows)


def _ps(client: Client, _: argparse.Namespace) -> None:
    rows = [("NAME", "ID", "SIZE", "PROCESSOR", "UNTIL")]
    for model in client.ask("GET", "/api/ps")["models"]:
        rows.append(
            (model["name"], model["digest"][:12], _mebibytes(model["size"]), "100% CPU", model["expires_at"])
        )
    _table(rows)


def _pull(client: Client, arguments: argparse.Namespace) -> None:
    said = ""
    for step in client.stream("POST", "/api/pull", model=arguments.model):
        line = step["status"]
        if sys.stderr.isatty() and step.get("total"):
            print(f"\r{line}: {100 * step['completed'] // step['total']} %", end="", file=sys.stderr)
        elif line != said:
            print(line, file=sys.stderr)
        said = line


def _show(client: Client, arguments: argparse.Namespace) -> None:
    shown = client.ask("POST", "/api/show", model=arguments.model)
    _table([("", name, str(value)) for name, value in shown["details"].items() if value])


def _rm(client: Client, arguments: argparse.Namespace) -> None:
    client.ask("DELETE", "/api/delete", model=arguments.model)
    print(f"deleted '{arguments.model}'")


def _run(client: Client, arguments: argparse.Namespace) -> None:
    prompt = " ".join(arguments.prompt) or sys.stdin.read()
    for line in client.stream("POST", "/api/generate", model=arguments.model, prompt=prompt):
        print(line["response"], end="", flush=True)
    print()


def _mebibytes(size: int) -> str:
    return f"{size / MEBIBYTE:.0f} MiB"


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("    ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


_COMMANDS: dict[str, Command] = {
    "list": _list,
    "ps": _ps,
    "pull": _pull,
    "show": _show,
    "rm": _rm,
    "run": _run,
}
