"""A failed check names the unit that its service is on that host in that mode."""

import pytest
from ansible.module_utils.hal_checks.runner import run_check, targets
from filter_plugins import hal as filters
from tests.ports import free_port


@pytest.fixture
def advice(services, pairs):
    """Return what is said when a service of a host is down, seen from the client."""

    def ask(service, host, mode="gateway"):
        catalogue = filters.catalogue_for_mode(services, mode)
        (check,) = [
            check | {"address": "127.0.0.1", "port": free_port(), "kind": catalogue[service]["check"]}
            for check in filters.planned_checks(catalogue, "mac", **pairs)
            if (check["name"], check["host"]) == (service, host)
        ]
        result = run_check(targets([check])[0], "mac")
        assert not result["ok"]
        return result["remedy"]

    return ask


@pytest.mark.parametrize(("mode", "unit"), [("gateway", "hal-gateway"), ("phantom", "hal-engine")])
def test_the_gateways_unit_is_that_of_the_mode(advice, mode, unit):
    assert advice("gateway", "qm1", mode) == f"On qm1: `systemctl status {unit}`"


@pytest.mark.parametrize(("mode", "service"), [("gateway", "HalGateway"), ("phantom", "QMSvc")])
def test_on_windows_it_is_a_windows_service(advice, pairs, mode, service):
    pairs["groups"]["windows_hosts"] = ["qm1"]
    assert advice("gateway", "qm1", mode) == f"On qm1: `Get-Service {service}`"
    assert advice("gateway", "gateway2") == "On gateway2: `systemctl status hal-gateway`"


@pytest.mark.parametrize("host", ["haproxy", "haproxy2", "hal"])
def test_a_front_end_is_the_proxys_affair(advice, services, host):
    services["proxy_gateway"]["unit"] = "haproxy-of-ours"
    assert advice("proxy_gateway", host) == f"On {host}: `systemctl status haproxy-of-ours`"


def test_a_web_server_that_is_down_is_looked_for_too(advice):
    assert advice("artifacts", "nas") == "On nas: `systemctl status nginx`"


def test_without_a_unit_nothing_is_advised(advice, services):
    del services["artifacts"]["unit"]
    assert advice("artifacts", "nas") == ""
