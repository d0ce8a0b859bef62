"""network_reach against a fake Proxmox API and servers on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.conftest import Fake

from hal.network.authority import Authority

SECRET = "11111111-2222-3333-4444-555555555555"
ADDRESS = "127.0.0.1"


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Start servers that send some bytes to whoever connects, over TLS where a context is given."""
    servers: list[socket.socket] = []

    def start(greeting: bytes, context: ssl.SSLContext | None = None) -> int:
        server = socket.create_server((ADDRESS, 0))
        servers.append(server)

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                try:
                    end = context.wrap_socket(connection, server_side=True) if context else connection
                    end.sendall(greeting)
                    end.close()
                except OSError:
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken but not listening, so that it refuses."""
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        yield taken.getsockname()[1]


@pytest.fixture
def look(
    proxmox: Fake, proxmox_certificate: Any, run_module: Callable[..., Any]
) -> Callable[..., dict[str, Any]]:
    """Look at hosts, with a Proxmox that has one template, a running and a stopped machine."""
    proxmox.reset()
    proxmox.assign(apitokens={"hal@pve!ansible": SECRET})
    proxmox.add_vm(9000, "debian-13-cloud", node="pve", template=True)
    proxmox.add_vm(103, "qm1", node="pve")
    proxmox.add_vm(120, "ubuai", node="pve")
    proxmox.guest(103, status="running")

    def start(*hosts: dict[str, Any], **changes: Any) -> dict[str, Any]:
        connection = {
            "api_host": ADDRESS,
            "api_port": proxmox.port,
            "api_user": "hal@pve",
            "api_token_id": "ansible",
            "api_token_secret": SECRET,
            "ca_path": str(proxmox_certificate[0]),
            "node": "pve",
        }
        result: dict[str, Any] = run_module("network_reach", connection | {"hosts": list(hosts)} | changes)
        assert SECRET not in str(result)
        return result

    return start


def machine(name: str, vmid: int, port: int, **changes: Any) -> dict[str, Any]:
    described = {"name": name, "address": ADDRESS, "port": port, "vmid": vmid, "machine": name}
    return described | {"template": "debian-13-cloud"} | changes


def test_all_is_well_when_all_that_runs_answers(look, serve, closed_port):
    ssh = serve(b"SSH-2.0-OpenSSH\r\n")
    result = look(
        machine("qm1", 103, ssh),
        machine("ubuai", 120, closed_port),  # switched off: it will be started
        machine("haproxy", 100, closed_port),  # not made yet
        {"name": "nas", "address": ADDRESS, "port": ssh},
    )
    assert (result["faults"], result["missing"], result["changed"]) == ([], ["haproxy"], False)


def test_a_machine_that_runs_and_does_not_answer_is_a_fault(look, closed_port):
    (fault,) = look(machine("qm1", 103, closed_port))["faults"]
    assert fault.startswith(f"qm1 ({ADDRESS}:{closed_port}) does not answer: Connection refused.")


def test_what_answers_must_be_ssh(look, serve):
    port = serve(b"HTTP/1.1 400\r\n")
    (fault,) = look({"name": "nas", "address": ADDRESS, "port": port})["faults"]
    assert fault == f"what answers at nas ({ADDRESS}:{port}) is no SSH server"


def test_a_number_that_is_another_machines_is_not_taken(look, closed_port):
    faults = look(machine("haproxy", 120, closed_port))["faults"]
    assert faults == [
        "machine 120 of Proxmox is called ubuai, not haproxy: correct vmid or machine.name of haproxy in "
        "hosts.yml"
    ]


def test_a_machine_that_cannot_be_made_is_a_fault(look, closed_port):
    (fault,) = look(machine("haproxy", 100, closed_port, template="windows-server"))["faults"]
    assert "there is no template windows-server to make it from" in fault


def test_a_node_that_does_not_exist_is_named(look):
    assert look(node="pve2")["faults"] == ["Proxmox has no node pve2 (network_proxmox_node); there is pve"]


def test_a_machine_may_be_on_another_node_but_not_on_one_that_is_off(look, proxmox, closed_port):
    proxmox.add_node("pve2")
    proxmox.guest(120, node="pve2")
    assert look(machine("ubuai", 120, closed_port))["faults"] == []
    proxmox.set_node_offline("pve2")
    (fault,) = look(machine("ubuai", 120, closed_port))["faults"]
    assert fault.startswith("ubuai is on the node pve2 of Proxmox, which is offline")


def test_a_token_that_is_refused_leaves_the_other_hosts_examined(look, closed_port):
    nas = {"name": "nas", "address": ADDRESS, "port": closed_port}
    first, second = look(machine("qm1", 103, closed_port), nas, api_token_secret="wrong")["faults"]
    assert "refused the token hal@pve!ansible" in first and second.startswith("nas (")


def test_without_a_secret_proxmox_is_not_asked(look, closed_port):
    assert look(machine("qm1", 103, closed_port), api_token_secret="", api_host="127.0.0.9")["faults"] == []


@pytest.fixture
def remoting(look, serve, tmp_path):
    """Knock at a Windows host whose certificate is for a name, and valid for a time."""

    def run(name: str, validity: timedelta) -> dict[str, Any]:
        authority = Authority.create("test")
        issued = authority.issue(["qm1", name], validity)
        for path, data in zip(("server.crt", "server.key"), issued, strict=True):
            (tmp_path / path).write_bytes(data)
        (tmp_path / "ca.crt").write_bytes(authority.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
        host = machine("qm1", 103, serve(b"", context), kind="psrp")
        return look(host, psrp_ca_path=str(tmp_path / "ca.crt"))

    return run


@pytest.mark.parametrize(
    ("name", "validity", "trusted"),
    [
        (ADDRESS, timedelta(days=9), True),
        ("127.0.0.2", timedelta(days=9), False),
        (ADDRESS, timedelta(minutes=-1), False),
    ],
)
def test_the_certificate_of_remoting_is_checked(remoting, tmp_path, name, validity, trusted):
    found = remoting(name, validity)
    advice = f"Import {tmp_path}/qm1-{ADDRESS}.pfx on it"
    advised = [
        "is not trusted" in fault and advice in fault and "`make production-init`" in fault
        for fault in found["faults"]
    ]
    assert advised == ([] if trusted else [True])
    assert found["due"] == []


def test_a_certificate_of_remoting_that_is_due_is_told_and_keeps_nobody_from_going_on(remoting):
    found = remoting(ADDRESS, timedelta(minutes=20))  # of the hour and 20 minutes that it is valid for
    assert found["faults"] == []
    (told,) = found["due"]
    assert "remoting on qm1 ends on" in told and "`make production-init`" in told
