"""Production trusts no network: checks and clients ask with the vault's tokens."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from hal.gateway.gateway import Gateway
from hal.gateway.settings import GatewaySettings

from .conftest import Production

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return what the hosts of a network are told that trusts no other."""
    production = Production(tmp_path_factory.mktemp("trusting"))
    done = production.init(trusted_networks="")
    assert done.returncode == 0, done.stderr
    return production.variables(
        "gateway_trusted_networks", "gateway_tokens", "health_token", "gateway_own_names", "ansible_host",
        "client_token", "client_environment",
    )  # fmt: skip


@pytest.fixture
async def gateway(told, tmp_path):
    """Run the gateway of qm1 as the role sets it, on loopback."""
    qm1 = told["qm1"]
    assert qm1["gateway_trusted_networks"] == []
    lines = [
        f"{name} {hashlib.sha256(token.encode()).hexdigest()}\n"
        for name, token in qm1["gateway_tokens"].items()
    ]
    (tmp_path / "tokens").write_text("".join(lines))
    gateway = Gateway(
        GatewaySettings(
            host=qm1["ansible_host"],
            port=0,
            trusted_networks=tuple(qm1["gateway_trusted_networks"]),
            own_names=tuple(qm1["gateway_own_names"]),
            tokens_file=tmp_path / "tokens",
        )
    )
    await gateway.start()
    yield gateway
    await gateway.stop()


async def test_every_host_checks_the_gateway_with_the_checks_own_token(told, gateway, run_module):
    assert {host: bool(variables["health_token"]) for host, variables in told.items()} == dict.fromkeys(
        told, True
    )
    assert len({variables["health_token"] for variables in told.values()}) == 1
    assert told["qm1"]["health_token"] == told["qm1"]["gateway_tokens"]["checks"]
    for host, variables in told.items():
        where = {"host": "qm1", "address": told["qm1"]["ansible_host"], "port": gateway.ports[0]}
        order = {"origin": host, "checks": [where | {"name": "gateway", "kind": "gateway"}]}
        # Without one, this machine's own programs are let in.
        unknown = order | {"token": "of-nobody"}
        assert not (await asyncio.to_thread(run_module, "service_checks", unknown))["ok"]
        asked = order | {"token": variables["health_token"]}
        result = await asyncio.to_thread(run_module, "service_checks", asked)
        assert result["ok"], result["message"]


def test_a_client_has_the_token_of_its_name_and_asks_where_it_is_not_overheard(told):
    mac = told["mac"]
    assert mac["client_token"] == told["qm1"]["gateway_tokens"]["mac"]
    assert mac["client_environment"]["HAL_GATEWAY_URL"] == "wss://haproxy"


def test_a_token_does_not_cross_a_trusted_network_in_clear(production):
    done = production.init(trusted_networks="192.168.7.0/24")
    assert done.returncode == 0, done.stderr
    mac = production.variables("client_token", "client_environment")["mac"]
    assert mac["client_token"] and mac["client_environment"]["HAL_GATEWAY_URL"] == "wss://haproxy"
