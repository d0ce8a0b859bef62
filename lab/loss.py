"""Lose a machine of the lab for good, and notice it as monitoring would."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from proxmoxer import ProxmoxAPI

from lab import containers, hypervisor
from lab.containers import Lab, PodmanError
from lab.guests import Api
from lab.machine import LabError
from lab.network import PROJECT

INTERVAL_S = 1.0
CHECKS = PROJECT / ".cache/hal_checks.pyz"
CHECKS_THERE = "/run/hal_checks.pyz"
REMOVAL_TIMEOUT_S = 60


def connect() -> ProxmoxAPI:
    """Log in to the lab's Proxmox API as its hypervisor does."""
    return hypervisor.connect(hypervisor.parse_arguments([]))


def machines() -> dict[str, dict[str, Any]]:
    """Return the machines that the API has, by name, without templates."""
    return {item["name"]: item for item in Api(connect).machines() if not item.get("template")}


def guest_of(host: str) -> Any:
    """Return a machine's guest in the API."""
    machine = machines()[host]
    return connect().nodes(machine["node"]).qemu(machine["vmid"])


def power_off(lab: Lab, host: str) -> float:
    """Take a machine's power, and return when it died (Unix time); `power_on` brings it back as it was."""
    guest = guest_of(host)
    containers.podman(["kill", lab.container(host)])
    died = time.time()
    guest.status.stop.post()
    return died


def power_on(host: str) -> None:
    """Switch a machine on."""
    guest_of(host).status.start.post()


def lose(lab: Lab, *hosts: str) -> float:
    """Take machines' power, then delete them with their disks; return when the first died (Unix time).

    Raises:
        LabError: one is still there after a minute.
    """
    died = [power_off(lab, host) for host in hosts]
    for host in hosts:
        delete(lab, host)
    return died[0]


def delete(lab: Lab, host: str) -> None:
    """Delete a machine with its disk.

    Raises:
        LabError: it is still there after a minute.
    """
    guest, container = guest_of(host), lab.container(host)
    if machines()[host]["status"] == "running":
        guest.status.stop.post()
    guest.delete(purge=1)
    deadline = time.monotonic() + REMOVAL_TIMEOUT_S
    while any(there.name == host and there.guest is not None for there in containers.list_all(lab)):
        if time.monotonic() > deadline:
            raise LabError(f"{container} is still there: .lab/hypervisor.log says why.")
        time.sleep(0.1)


class Monitor:
    """Checks a host's services every second from a host that uses them, until it is closed."""

    def __init__(self, lab: Lab, origin: str, checks: list[dict[str, Any]]) -> None:
        self.origin = origin
        self._container = lab.container(origin)
        self._order = json.dumps({"origin": origin, "checks": checks, "timeout": 3}).encode()
        self._news = threading.Condition()
        self._results: list[tuple[float, float, list[dict[str, Any]]]] = []
        self._fault = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        containers.podman(["cp", str(CHECKS), f"{self._container}:{CHECKS_THERE}"])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(PodmanError):
            containers.podman(["exec", self._container, "rm", "-f", CHECKS_THERE])

    def wait(
        self, wanted: Callable[[list[dict[str, Any]]], bool], since: float, timeout: float
    ) -> tuple[float, list[dict[str, Any]]]:
        """Return when checks begun since a moment had the wanted result, and that result.

        Raises:
            LabError: they had not within `timeout` seconds.
        """

        def found() -> tuple[float, list[dict[str, Any]]] | None:
            rounds = (item for item in self._results if item[0] >= since and wanted(item[2]))
            return next(((ended, results) for _, ended, results in rounds), None)

        with self._news:
            self._news.wait_for(found, timeout)
            result = found()
        if result is None:
            raise LabError(f"The checks on {self.origin} did not change within {timeout:g} s.{self._fault}")
        return result

    def _watch(self) -> None:
        command = ["exec", "--interactive", self._container, "python3", "-I", CHECKS_THERE]
        while not self._stop.is_set():
            began = time.time()
            try:
                results = json.loads(containers.podman(command, self._order))["results"]
            except PodmanError as error:  # the one that looks cannot, which is no finding
                results, self._fault = [], f" {error}"
            with self._news:
                self._results.append((began, time.time(), results))
                self._news.notify_all()
            self._stop.wait(max(0.0, INTERVAL_S - (time.time() - began)))


def all_passed(results: list[dict[str, Any]]) -> bool:
    """Tell whether there were checks and each passed."""
    return bool(results) and all(result["ok"] for result in results)


def any_failed(results: list[dict[str, Any]]) -> bool:
    """Tell whether a check failed."""
    return any(not result["ok"] for result in results)
