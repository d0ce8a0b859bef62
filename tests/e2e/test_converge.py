"""site.yml again: it changes nothing, and it repairs what was changed by hand."""


def test_a_second_run_changes_nothing(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml"))


def test_a_check_predicts_no_change(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml", "--check", "--diff"))


def test_what_was_changed_by_hand_is_repaired(playbook, on):
    on("haproxy", "sed -i 's/balance leastconn/balance roundrobin/' /etc/haproxy/haproxy.cfg")
    on("qm1", "systemctl stop hal-gateway && ufw allow 8767/tcp")

    done = playbook("site.yml")

    assert done.returncode == 0, done.stdout[-4000:]
    assert "balance leastconn" in on("haproxy", "cat /etc/haproxy/haproxy.cfg").stdout
    assert on("qm1", "systemctl is-active hal-gateway").stdout.strip() == "active"
    assert "8767" not in on("qm1", "ufw status").stdout
