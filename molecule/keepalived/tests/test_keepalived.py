"""One host of those that would share an address: with nobody beside it, it has that while it serves."""

import pytest

pytestmark = pytest.mark.units("keepalived", "serves")

VIRTUAL = "198.18.255.99"
CONFIGURATION = "/etc/keepalived/keepalived.conf"


def wait_until_it(host, has):
    test = "-n" if has else "-z"
    shown = f'"$(ip -4 address show to {VIRTUAL})"'
    return host.run(f"timeout 20 sh -c 'until [ {test} {shown} ]; do sleep 0.2; done'").rc == 0


def test_it_runs_as_configured(host):
    service = host.service("keepalived")
    assert service.is_running and service.is_enabled
    assert host.run("keepalived --config-test").rc == 0


def test_it_has_the_address(host):
    assert wait_until_it(host, has=True)


def test_a_service_that_does_not_answer_costs_the_address_though_it_runs(host):
    assert wait_until_it(host, has=True)
    host.check_output("systemctl kill --signal=STOP serves")
    try:
        assert wait_until_it(host, has=False)
        assert host.service("keepalived").is_running
    finally:
        host.check_output("systemctl kill --signal=CONT serves")
    assert wait_until_it(host, has=True)


def test_a_reload_keeps_the_address(host):
    assert wait_until_it(host, has=True)
    process = host.check_output("systemctl show -P MainPID keepalived")
    host.check_output("systemctl reload keepalived")
    assert host.check_output(f"ip -4 address show to {VIRTUAL}")
    assert host.check_output("systemctl show -P MainPID keepalived") == process


def test_what_it_knows_is_private_and_its_rights_are_few(host):
    assert host.file(CONFIGURATION).mode == 0o600
    rights = host.check_output("systemctl show -P CapabilityBoundingSet keepalived").split()
    assert "cap_net_admin" in rights and "cap_sys_admin" not in rights


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_it_has_the_address_within_the_limits_of_its_unit(host, weighed, action):
    weighed("keepalived")
    host.check_output(f"systemctl {action} keepalived")
    assert wait_until_it(host, has=True)
