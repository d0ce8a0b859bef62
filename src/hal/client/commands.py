"""The commands of `hal`, one function each; each returns its exit code."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from hal.client.answer_output import AnswerOutput
from hal.client.conformance import Outcome, ask_all, load_exchanges
from hal.client.conversation import ask_and_show, connect_to, converse
from hal.client.errors import EXIT_OK, EXIT_TURN_FAILED, UsageError
from hal.client.microphone import audio_from_microphone, enter_key
from hal.client.network import show_network
from hal.client.output import show_checks, show_conformance, show_failure, show_outcome, show_status
from hal.client.report import find_report
from hal.client.settings import ClientSettings
from hal.client.sound_file import audio_from_bytes, audio_from_file
from hal.client.status import check_all, exit_code
from hal.client.text_to_speech import synthesise
from hal.client.turn import Audio, GatewayAnswer

DEVICES, PYTHON = Path("production/devices.py"), Path(".venv/bin/python")  # of a checkout


def ask(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Ask by text; without a question, ask each line of standard input."""
    if not arguments.question:
        settings.require_gateway()
        return converse(
            settings,
            lambda: _output(arguments, settings),
            lambda question, error: show_failure(error, as_json=arguments.json, question=question),
        )
    answer = asyncio.run(_ask(arguments, settings, _text(arguments.question)))
    return _exit_code(answer)


def talk(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Ask by voice, from a file or the microphone."""
    return asyncio.run(_talk(arguments, settings))


def say(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Have a question spoken by the text-to-speech voice, and ask with that."""
    return asyncio.run(_say(arguments, settings))


def speech(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Write text as speech to a file."""
    recording = asyncio.run(synthesise(settings, _text(arguments.text)))
    try:
        arguments.output.write_bytes(recording)
    except OSError as error:
        raise UsageError(f"Cannot write {arguments.output}: {error.strerror}.") from error
    return EXIT_OK


def status(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Show whether HAL can be reached from here, and what the last checks of the whole network found."""
    report = find_report(settings.health_report, Path.cwd())
    if report is None:
        settings.require_gateway()
    checks = asyncio.run(check_all(settings)) if settings.gateway_url else []
    code = exit_code(checks)
    if report is not None and not report.ok:
        code = code or EXIT_TURN_FAILED
    if arguments.json:
        show_status(checks, report.raw if report else None, ok=code == EXIT_OK)
        return code
    if checks:
        show_checks(checks)
    if report is not None:
        show_network(report, datetime.now(UTC), every=arguments.all)
    return code


def devices(arguments: argparse.Namespace, _: ClientSettings) -> int:
    """Have the checkout that the person is in change who may ask: what that takes is on no client."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEVICES).is_file() and (folder / PYTHON).exists():
            command = [folder / PYTHON, "-m", ".".join(DEVICES.with_suffix("").parts), *arguments.arguments]
            return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - what was typed
    raise UsageError(
        "Devices are managed on the controller: change into its checkout, after `make tools` there."
    )


def conformance(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Ask a listener the exchanges that every listener must pass."""
    host, _, port = arguments.address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(
            f"{arguments.address} is no listener's address: give HOST:PORT, such as 127.0.0.1:8767."
        )
    wanted = load_exchanges(*([arguments.exchanges] if arguments.exchanges else []))

    async def run() -> list[Outcome]:
        outcomes = []
        async for outcome in ask_all(wanted.exchanges, host, int(port), wanted.now, settings.timeout):
            show_outcome(outcome, as_json=arguments.json)
            outcomes.append(outcome)
        return outcomes

    outcomes = asyncio.run(run())
    failed = sum(bool(outcome.faults) for outcome in outcomes)
    show_conformance(len(outcomes), failed, wanted.now, as_json=arguments.json)
    return EXIT_TURN_FAILED if failed else EXIT_OK


def completion(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the script with which a shell completes what `parser` reads."""
    import shtab  # noqa: PLC0415 - nothing that a person's question should wait for

    for subcommands in parser._actions:
        if isinstance(subcommands, argparse._SubParsersAction):
            for action in (action for command in subcommands.choices.values() for action in command._actions):
                if str(action.metavar).startswith("FILE"):
                    action.complete = shtab.FILE
    print(shtab.complete(parser, arguments.shell))
    return EXIT_OK


async def _ask(arguments: argparse.Namespace, settings: ClientSettings, question: str) -> GatewayAnswer:
    async with connect_to(settings) as gateway:
        return await ask_and_show(gateway, question, _output(arguments, settings))


async def _talk(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    file: Path | None = arguments.file
    if file is not None:
        return await _send(arguments, settings, audio_from_file(file))
    with enter_key() as pressed:
        audio = audio_from_microphone(pressed)
        print("Listening: speak, then pause or press Enter.", file=sys.stderr)
        return await _send(arguments, settings, audio)


async def _say(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    settings.require_gateway()
    question = _text(arguments.question)
    recording = await synthesise(settings, question)
    return await _send(arguments, settings, audio_from_bytes(recording, "The speech"), question)


async def _send(
    arguments: argparse.Namespace, settings: ClientSettings, audio: Audio, question: str = ""
) -> int:
    """Send a spoken question, print what came of it, and speak the answer if that was asked for."""
    async with connect_to(settings) as gateway:
        async with _output(arguments, settings) as output:
            answer = await gateway.talk(audio, output)
            output.finish(question, answer)
        if output.has_spoken:
            await gateway.playback_ended()
    return _exit_code(answer)


def _output(arguments: argparse.Namespace, settings: ClientSettings) -> AnswerOutput:
    return AnswerOutput(settings, as_json=arguments.json, speaks=arguments.speak)


def _text(words: list[str]) -> str:
    """Join the words of a command line.

    Raises:
        UsageError: there is nothing in them.
    """
    text = " ".join(words).strip()
    if not text:
        raise UsageError("There is no text: put it in quotes after the command.")
    return text


def _exit_code(answer: GatewayAnswer) -> int:
    return EXIT_OK if answer.ok else EXIT_TURN_FAILED
