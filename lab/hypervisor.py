"""The hypervisor behind the lab's Proxmox API: each guest that the API has is a container on this machine.

A guest that runs has a running container, a stopped one a stopped container, and a guest that is deleted
loses its container with all that it held. Templates and the other hosts of the lab are left alone.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from proxmoxer import ProxmoxAPI

from lab import boot, containers, network
from lab.containers import Container, Lab, PodmanError
from lab.guests import Api, Guest, save
from lab.machine import LabError

log = logging.getLogger("hypervisor")

BACK_OFF_S = (1, 2, 5, 10, 30)
WORKERS = 4


def needed(guest: Guest | None, container: Container | None) -> str | None:
    """Return what brings a container in line with its guest: create, start, stop, remove or nothing."""
    if container is None:
        return "create" if guest is not None and guest.running else None
    if container.guest is None:  # a host of the lab that Proxmox does not know
        return None
    if guest is None or container.guest != guest.identity:
        return "remove"
    if container.running == guest.running:
        return None
    return "start" if guest.running else "stop"


class Hypervisor:
    """Brings the containers of a lab in line with guests; work on different hosts is done side by side.

    `limit_memory` gives each container its guest's memory as a limit. `clock` returns seconds.
    """

    def __init__(
        self, lab: Lab, *, limit_memory: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lab = lab
        self._limit_memory = limit_memory
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=WORKERS)
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    def reconcile(self, guests: list[Guest]) -> None:
        """Begin whatever is needed so that the containers follow these guests; returns at once.

        A host that is still being worked on, or whose last try has just failed, waits for the next call.
        Raises PodmanError if podman cannot even list the containers.
        """
        # Taken before the list, so that a host whose work ends in between is looked at the next time.
        with self._lock:
            busy = set(self._busy)
        existing = {host.name: host for host in containers.list_all(self._lab)}
        wanted = {guest.name: guest for guest in guests}
        for name in wanted.keys() | existing.keys():
            if name in busy or self._clock() < self._not_before.get(name, 0):
                continue
            guest = wanted.get(name)
            action = needed(guest, existing.get(name))
            if action is not None:
                with self._lock:
                    self._busy.add(name)
                self._pool.submit(self._work, action, name, guest)

    def _work(self, action: str, name: str, guest: Guest | None) -> None:
        began = self._clock()
        try:
            self._perform(action, name, guest)
        except (PodmanError, LabError, ValueError) as error:
            failures = self._failures.get(name, 0)
            delay = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            self._failures[name] = failures + 1
            self._not_before[name] = self._clock() + delay
            log.error("%s: %s failed: %s; next try in %d s", name, action, error, delay)
        else:
            self._failures.pop(name, None)
            self._not_before.pop(name, None)
            log.info("%s: %s, %.1f s", name, action, self._clock() - began)
        finally:
            with self._lock:
                self._busy.discard(name)

    def _perform(self, action: str, name: str, guest: Guest | None) -> None:
        if action == "stop":
            containers.stop(self._lab, name)
        elif action == "remove" or guest is None:
            containers.remove(self._lab, name)
        else:
            boot.switch_on(self._lab, guest, limit_memory=self._limit_memory)

    def close(self) -> None:
        """Finish what is being done; the containers stay as they are."""
        self._pool.shutdown(wait=True)


def watch(api: Api, hypervisor: Hypervisor, state: Path, interval: float, stop: threading.Event) -> None:
    """Follow the API until `stop` is set, asking every `interval` seconds; `state` keeps what it has."""
    reachable = None
    while not stop.is_set():
        try:
            machines = api.machines()
            if not reachable:
                log.info("following the Proxmox API, which has %d machines", len(machines))
            reachable = True
            hypervisor.reconcile([Guest.from_machine(item) for item in machines if not item.get("template")])
            save(machines, state)
        except ConnectionError as error:
            if reachable is not False:
                log.warning("the Proxmox API does not answer; the containers stay as they are: %s", error)
            reachable = False
        except PodmanError as error:
            log.error("podman: %s", error)
        stop.wait(interval)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Turn the guests of the lab's Proxmox API into containers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    address = f"{network.api_address()}:{network.API_PORT}"
    parser.add_argument("--api", default=address, metavar="HOST:PORT", help="where the API is")
    parser.add_argument("--user", default="root@pam", help="user of the API, with realm")
    parser.add_argument("--token-id", help="API token of the user; without it the secret is a password")
    parser.add_argument(
        "--secret-file",
        type=Path,
        default=network.STATE / "pve.password",
        help="its password, or the token's",
    )
    parser.add_argument("--ca", type=Path, default=network.STATE / "ca.crt", help="issuer of the certificate")
    parser.add_argument("--state", type=Path, default=network.STATE / "guests.json", help="what the API has")
    parser.add_argument("--limit-memory", action="store_true", help="limit a container to its guest's memory")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between looks")
    return parser.parse_args(arguments)


def connect(options: argparse.Namespace) -> ProxmoxAPI:
    """Log in to the API as the command line says; the secret is read anew each time."""
    secret = options.secret_file.read_text().strip()
    if options.token_id:
        login = {"token_name": options.token_id, "token_value": secret}
    else:
        login = {"password": secret}
    host, _, port = options.api.rpartition(":")
    return ProxmoxAPI(
        host, port=int(port), user=options.user, verify_ssl=str(options.ca), timeout=10, **login
    )


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    hypervisor = Hypervisor(network.laboratory(), limit_memory=options.limit_memory)
    watch(Api(partial(connect, options)), hypervisor, options.state, options.interval, stop)
    hypervisor.close()
    log.info("stopped; the containers stay as they are")


if __name__ == "__main__":
    main()
