"""site.yml again: it changes nothing, and it repairs what was changed by hand."""

import re

RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


def totals(output: str) -> dict[str, list[tuple[int, ...]]]:
    """Return (changed, unreachable, failed) of each recap line by host."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for host, *numbers in RECAP.findall(output):
        found.setdefault(host, []).append(tuple(map(int, numbers)))
    return found


def assert_unchanged(done):
    """Every host was contacted, and none changed or failed."""
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    found = totals(done.stdout)
    assert {"qm1", "ubuai", "haproxy", "nas", "mac"} <= found.keys()
    assert {numbers for recaps in found.values() for numbers in recaps} == {(0, 0, 0)}, done.stdout[-4000:]


def test_a_second_run_changes_nothing(playbook):
    assert_unchanged(playbook("site.yml"))


def test_a_check_predicts_no_change(playbook):
    assert_unchanged(playbook("site.yml", "--check", "--diff"))


def test_what_was_changed_by_hand_is_repaired(playbook, on):
    on("haproxy", "sed -i 's/balance leastconn/balance roundrobin/' /etc/haproxy/haproxy.cfg")
    on("qm1", "systemctl stop hal-gateway && ufw allow 8767/tcp")

    done = playbook("site.yml")

    assert done.returncode == 0, done.stdout[-4000:]
    assert "balance leastconn" in on("haproxy", "cat /etc/haproxy/haproxy.cfg").stdout
    assert on("qm1", "systemctl is-active hal-gateway").stdout.strip() == "active"
    assert "8767" not in on("qm1", "ufw status").stdout
