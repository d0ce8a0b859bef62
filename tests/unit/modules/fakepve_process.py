"""A fake Proxmox API as a process of its own, steered by lines of JSON on its standard input.

It is the `fakepve` command with what its command line lacks: API tokens, faults, permissions, and disks that
are allocated and grow. `fakepve` is AGPL-3.0: this file is run, never imported.

Each line `[NAME, ARGUMENTS, KEYWORDS]` calls one of the functions of Steering or a method of FakePve; the
answer is one line of JSON.
"""

import asyncio
import json
import re
import sys
from typing import Any

from fakepve.model import Model
from fakepve.server import FakePve


class Pve(FakePve):
    """FakePve that carries out what the original only acknowledges."""

    def _routes_resize(self) -> list[Any]:
        return [("PUT", "/nodes/{node}/qemu/{vmid}/resize", self._resize)]

    async def _resize(self, values: dict[str, Any], user: str) -> str:
        vm = self.find(values["node"], values["vmid"])

        async def body() -> None:
            drive = vm.config[values["disk"]]
            vm.config[values["disk"]] = re.sub(r"size=[^,]+", f"size={values['size']}", drive)

        return await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm)

    async def _apply_config(self, vm: Any, user: str, values: dict[str, Any]) -> None:
        for key in [key for key in values if re.fullmatch(r"scsi\d+", key)]:
            values[key], _ = self._qm_new_drive(vm.vmid, key, values[key], None)
        await super()._apply_config(vm, user, values)


class Steering:
    """What a test may do to the fake."""

    def __init__(self, pve: Pve) -> None:
        self.pve = pve

    def reset(self) -> None:
        """Forget everything."""
        Model.__init__(self.pve)
        self.pve.nodes.clear()

    def assign(self, **attributes: Any) -> None:
        """Set attributes of the fake."""
        for name, value in attributes.items():
            setattr(self.pve, name, value)

    def guest(self, vmid: int, **attributes: Any) -> dict[str, Any] | None:
        """Set attributes of a guest and return what it is like."""
        vm = self.pve.vm(vmid)
        if vm is None:
            return None
        for name, value in attributes.items():
            setattr(vm, name, value)
        return {key: getattr(vm, key) for key in ("name", "node", "status", "lock", "config", "pending")}

    def container(self, vmid: int, name: str, node: str) -> None:
        """Add an LXC container."""
        self.pve.add_ct(vmid, name, node=node)

    def unlock_later(self, vmid: int) -> None:
        """Release a guest's lock in a moment, as the end of the task that holds it does."""
        asyncio.get_running_loop().call_later(0.5, self.pve.unlock, vmid)

    def writes(self) -> list[str]:
        """Return the requests that were not mere reads."""
        return [f"{method} {path}" for method, path, _ in self.pve.requests if method != "GET"]

    async def call(self, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """Carry out one line."""
        own = getattr(self, name, None)
        result = (own or getattr(self.pve, name))(*arguments, **keywords)
        if asyncio.iscoroutine(result):
            result = await result
        return result if own else None


async def main(certificate: str, key: str) -> None:
    """Serve until the standard input ends."""
    pve = Pve(host="127.0.0.1", port=0)
    await pve.start(certificate, key)
    print(pve.port, flush=True)
    steering = Steering(pve)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await steering.call(*json.loads(line)), default=str), flush=True)
    await pve.stop()


asyncio.run(main(*sys.argv[1:]))
