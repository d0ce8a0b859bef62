"""The commands of `hal`, one function each; each returns its exit code."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from hal.client.audio import audio_from_bytes, audio_from_file
from hal.client.conformance import EXCHANGES, Outcome, ask_all, load_exchanges
from hal.client.conversation import connect_to, converse
from hal.client.errors import EXIT_OK, EXIT_TURN_FAILED, ClientError, UsageError
from hal.client.microphone import audio_from_microphone, enter_key
from hal.client.network import show_network
from hal.client.output import show_answer, show_checks, show_conformance, show_outcome, show_status
from hal.client.report import find_report
from hal.client.settings import ClientSettings
from hal.client.speech import speak, synthesise
from hal.client.status import check_all, exit_code
from hal.client.turn import Answer, Audio


def ask(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Ask by text; without a question, ask each line of standard input."""

    def answered(question: str, answer: Answer) -> None:
        show_answer(question, answer, as_json=arguments.json)
        if arguments.speak:
            asyncio.run(_speak(settings, answer.text))

    if not arguments.question:
        settings.require_gateway()
        return converse(settings, answered)
    question = _text(arguments.question)
    answer = asyncio.run(_ask(settings, question))
    answered(question, answer)
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


def conformance(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    """Ask a listener the exchanges that every listener must pass."""
    host, _, port = arguments.address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(
            f"{arguments.address} is no listener's address: give HOST:PORT, such as 127.0.0.1:8767."
        )
    wanted = load_exchanges(arguments.exchanges or EXCHANGES)

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


async def _ask(settings: ClientSettings, question: str) -> Answer:
    async with connect_to(settings) as gateway:
        return await gateway.ask(question)


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
        answer = await gateway.talk(audio)
    show_answer(question, answer, as_json=arguments.json)
    if arguments.speak:
        await _speak(settings, answer.text)
    return _exit_code(answer)


async def _speak(settings: ClientSettings, text: str) -> None:
    """Speak an answer; it has been printed, so that a fault here is worth a line and no more."""
    try:
        note = await speak(settings, text)
    except ClientError as error:
        note = str(error)
    if note:
        print(note, file=sys.stderr)


def _text(words: list[str]) -> str:
    """Join the words of a command line.

    Raises:
        UsageError: there is nothing in them.
    """
    text = " ".join(words).strip()
    if not text:
        raise UsageError("There is no text: put it in quotes after the command.")
    return text


def _exit_code(answer: Answer) -> int:
    return EXIT_OK if answer.ok else EXIT_TURN_FAILED
