"""A fake Proxmox API as a process of its own, steered by lines of JSON on its standard input.

It is the lab's API with what its command line lacks: API tokens, faults, permissions, and users, roles,
rights and bridges that are kept.
`fakepve` is AGPL-3.0: this file is run, never imported.

Each line `[NAME, ARGUMENTS, KEYWORDS]` calls one of the functions of Steering or a method of FakePve; the
answer is one line of JSON.
"""

import asyncio
import json
import sys
import uuid
from functools import partial
from typing import Any

from fakepve.model import Model, PveError
from lab.proxmox.api import ProxmoxApi


class Pve(ProxmoxApi):
    """The lab's API, which keeps what else the original only acknowledges."""

    def _forget(self) -> None:
        """Begin with nobody's rights and no bridge."""
        self.roles: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {"root@pam": {"enable": 1, "tokens": {}}}
        self.rights: list[dict[str, Any]] = []
        self.bridges: dict[str, dict[str, Any]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}
        self.devices: dict[str, list[dict[str, Any]]] = {}
        self.disks = ()

    def _routes_kept(self) -> list[Any]:
        """Return what roles, users, rights and bridges are made, read and changed with."""
        tables = [
            ("/access/roles", "roleid", "roles"),
            ("/access/users", "userid", "users"),
            ("/nodes/{node}/network", "iface", "bridges"),
        ]
        routes = []
        for path, key, name in tables:
            routes += [
                ("GET", path, partial(self._list, name, key)),
                ("POST", path, partial(self._put, name, key)),
                ("GET", f"{path}/{{{key}}}", partial(self._get, name, key)),
                ("PUT", f"{path}/{{{key}}}", partial(self._put, name, key)),
            ]
        token = "/access/users/{userid}/token/{tokenid}"
        return [
            *routes,
            ("POST", token, self._make_token),
            ("DELETE", token, self._remove_token),
            ("GET", "/access/acl", self._list_rights),
            ("PUT", "/access/acl", self._grant),
        ]

    def _routes_devices(self) -> list[Any]:
        """Return what tells the PCI devices of the nodes."""
        return [("GET", "/nodes/{node}/hardware/pci", self._list_devices)]

    async def _list_devices(self, values: dict[str, Any], user: str) -> list[dict[str, Any]]:
        return self.devices.get(values["node"], [])

    async def _list(self, name: str, key: str, values: dict[str, Any], user: str) -> list[dict[str, Any]]:
        return [{key: each, **held} for each, held in getattr(self, name).items()]

    async def _get(self, name: str, key: str, values: dict[str, Any], user: str) -> dict[str, Any]:
        held: dict[str, Any] | None = getattr(self, name).get(values[key])
        if held is None:
            raise PveError(500, f"{key} '{values[key]}' does not exist")
        if name == "roles":  # a role tells its privileges by name
            return dict.fromkeys(str(held["privs"]).split(","), 1)
        return held

    async def _put(self, name: str, key: str, values: dict[str, Any], user: str) -> None:
        new = {field: value for field, value in values.items() if field not in (key, "node")}
        getattr(self, name).setdefault(values[key], {}).update(new)

    async def _make_token(self, values: dict[str, Any], user: str) -> dict[str, str]:
        token = {"comment": values.get("comment", ""), "expire": 0, "privsep": int(values.get("privsep", 1))}
        self.users[values["userid"]].setdefault("tokens", {})[values["tokenid"]] = token
        secret = self.apitokens[f"{values['userid']}!{values['tokenid']}"] = str(uuid.uuid4())
        return {"value": secret}

    async def _remove_token(self, values: dict[str, Any], user: str) -> None:
        del self.users[values["userid"]]["tokens"][values["tokenid"]]
        del self.apitokens[f"{values['userid']}!{values['tokenid']}"]

    async def _list_rights(self, values: dict[str, Any], user: str) -> list[dict[str, Any]]:
        return self.rights

    async def _grant(self, values: dict[str, Any], user: str) -> None:
        for kind in ("users", "tokens"):
            if kind in values:
                right = {"path": values["path"], "type": kind[:-1], "ugid": values[kind]}
                self.rights.append(
                    {**right, "roleid": values["roles"], "propagate": int(values.get("propagate", 1))}
                )


class Steering:
    """What a test may do to the fake."""

    def __init__(self, pve: Pve) -> None:
        self.pve = pve

    def reset(self) -> None:
        """Forget everything."""
        Model.__init__(self.pve)
        self.pve.nodes.clear()
        self.pve.cts.clear()
        self.pve._forget()

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

    def kept(self, name: str) -> Any:
        """Return the roles, users, rights, bridges, mappings or devices."""
        return getattr(self.pve, name)

    def keep(self, name: str, key: str, value: Any) -> None:
        """Replace one of what is kept, as somebody else would."""
        getattr(self.pve, name)[key] = value

    def unlock_later(self, vmid: int) -> None:
        """Release a guest's lock in a moment, as the end of the task that holds it does."""
        asyncio.get_running_loop().call_later(0.5, self.pve.unlock, vmid)

    def writes(self) -> list[str]:
        """Return the requests that were not mere reads."""
        return [f"{method} {path}" for method, path, _ in self.pve.requests if method != "GET"]

    def asked(self) -> int:
        """Return how many requests there were."""
        return len(self.pve.requests)

    def storage_volumes(self, storage: str) -> dict[str, Any]:
        """Return the volumes of a storage by their names."""
        volumes: dict[str, Any] = self.pve.storages[storage].get("volumes", {})
        return volumes

    async def destroy(self, vmid: int) -> None:
        """Destroy a guest with its disks, as somebody does in the web interface."""
        vm = self.pve.vm(vmid)
        await self.pve._do_stop(vm, "root@pam", {})
        await self.pve._qm_destroy({"node": vm.node, "vmid": vmid}, "root@pam")

    def remove(self, vmid: int) -> None:
        """Lose a guest."""
        self.pve.vms.remove(self.pve.vm(vmid))

    def logs(self, kind: str) -> list[list[str]]:
        """Return the log of each task of a kind, such as `qmdestroy`."""
        return [task["log"] for task in self.pve.tasklog if task["type"] == kind]

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
