"""What can go wrong for a person at the client, each with its exit code."""

from __future__ import annotations

EXIT_OK = 0
EXIT_TURN_FAILED = 1
EXIT_USAGE = 2
EXIT_CANNOT_CONNECT = 3


class ClientError(Exception):
    """A failure whose text is one sentence for the person who typed the command."""

    exit_code = EXIT_TURN_FAILED


class TurnError(ClientError):
    """The question was not answered: the gateway refused it, fell silent or went away."""


class UsageError(ClientError):
    """Something the command needs is missing or wrong."""

    exit_code = EXIT_USAGE


class ConnectError(ClientError):
    """No gateway, or no speech service, could be reached at its address."""

    exit_code = EXIT_CANNOT_CONNECT
