"""Prometheus, Alertmanager and blackbox exporter on one host, and the way of an alert through them."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.units(
    "prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter", "prometheus-node-exporter"
)

WAIT_S = 60
PROMETHEUS = 9090
ASK = "curl --silent --fail --cacert /etc/prometheus/hal-ca.crt"
TEXT_FILE = "/var/lib/prometheus/node-exporter/hal_drift.prom"


def ask(host, path, port=PROMETHEUS):
    """Return what a program answers in JSON."""
    return json.loads(host.check_output(f"{ASK} %s", f"{url(port)}/{path}"))


def url(port):
    """Return the address of a program: Prometheus alone is for other hosts, and encrypts."""
    return f"http{'s' if port == PROMETHEUS else ''}://127.0.0.1:{port}"


def until(host, found):
    """Return what `found` returns, once that is something."""
    deadline = time.monotonic() + WAIT_S
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return result


def value(host, query):
    """Return the value of the only series of a query, none without any."""
    found = ask(host, f"api/v1/query?query={query}")["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def test_they_run_and_start_at_boot(host):
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter"):
        service = host.service(name)
        assert service.is_running and service.is_enabled


def test_the_configurations_are_valid_and_are_those_that_run(host):
    for command in (
        "promtool check config /etc/prometheus/prometheus.yml",
        "amtool check-config /etc/prometheus/alertmanager.yml",
        "prometheus-blackbox-exporter --config.check --config.file=/etc/prometheus/blackbox.yml",
    ):
        done = host.run(command)
        assert done.rc == 0, done.stdout + done.stderr
    until(host, lambda: value(host, "prometheus_config_last_reload_successful") == 1)


@pytest.mark.parametrize("action", ["restart", "reload"])
@pytest.mark.parametrize(
    ("unit", "port"),
    [("prometheus", 9090), ("prometheus-alertmanager", 9093), ("prometheus-blackbox-exporter", 9115)],
)
def test_each_serves_within_the_limits_of_its_unit_and_keeps_its_data(host, weighed, unit, port, action):
    weighed(unit)
    host.check_output(f"systemctl {action} {unit}")
    until(host, lambda: host.run(f"{ASK} {url(port)}/-/healthy").rc == 0)
    if unit == "prometheus":
        until(host, lambda: value(host, "time()-timestamp(up%7Bservice=%22node_exporter%22%7D)") is not None)
    assert host.run(f"systemctl is-active {unit}").stdout.strip() == "active"


def test_only_prometheus_listens_to_the_network(host):
    listening = {line.split()[3] for line in host.check_output("ss -Hltn").splitlines()}
    assert {address for address in listening if address.endswith((":9090", ":9093", ":9094", ":9115"))} == {
        "*:9090",
        "127.0.0.1:9093",
        "127.0.0.1:9115",
    }


def test_prometheus_says_nothing_in_clear_and_nobody_else_reads_its_key(host):
    assert "prometheus_" not in host.run("curl --silent http://127.0.0.1:9090/metrics").stdout
    key = host.file("/etc/prometheus/hal-web.pem")
    assert (key.user, key.group, oct(key.mode)) == ("root", "prometheus", "0o640")


def test_every_target_is_up(host):
    def up():
        targets = ask(host, "api/v1/targets")["data"]["activeTargets"]
        return len(targets) == 6 and all(target["health"] == "up" for target in targets)

    until(host, up)


@pytest.mark.parametrize("service", ["prometheus", "backups", "listener"])
def test_what_serves_is_probed(host, service):
    until(host, lambda: value(host, f"probe_success%7Bservice=%22{service}%22%7D") == 1)


def test_a_certificate_near_its_end_is_an_alert(host):
    def alerts():
        found = ask(host, "api/v1/alerts")["data"]["alerts"]
        near = [alert["labels"] for alert in found if alert["labels"]["alertname"] == "CertificateNearItsEnd"]
        return {labels["service"] for labels in near} == {"backups", "prometheus"}

    until(host, alerts)


def test_a_change_by_hand_reaches_the_alertmanager(host):
    host.check_output(f"echo 'hal_drift_changes{{target=\"qm1\"}} 2' > {TEXT_FILE}")
    try:
        (alert,) = until(
            host, lambda: ask(host, "api/v2/alerts?filter=alertname=ConfigurationDrift", port=9093)
        )
        assert alert["annotations"]["summary"] == "qm1 is not as described: 2 tasks would change it."
        assert alert["receivers"] == [{"name": "household"}]
    finally:
        host.check_output(f"rm {TEXT_FILE}")


def received(host, topic):
    """Return the calls of an address, each as its address and what was posted, without a line break."""
    lines = host.run("cat /run/received").stdout.splitlines()
    return [line.partition(" ")[::2] for line in lines if line.startswith(topic)]


def test_silence_would_be_noticed_as_the_heartbeat_goes_on(host):
    before = len(received(host, "/heartbeat"))
    until(host, lambda: len(received(host, "/heartbeat")) > before + 1)
    _, body = received(host, "/heartbeat")[-1]
    assert [alert["labels"]["alertname"] for alert in json.loads(body)["alerts"]] == ["Watchdog"]


def test_an_alert_goes_to_a_telephone_with_what_to_do_and_the_heartbeat_does_not(host):
    address = until(host, lambda: received(host, "/a-topic"))[0][0]
    asked = parse_qs(urlsplit(address).query)
    assert asked["tpl"] == ["1"]
    assert asked["m"] == ["{{range .alerts}}{{.annotations.summary}} {{.annotations.action}} {{end}}"]
    told = [alert for _, body in received(host, "/a-topic") for alert in json.loads(body)["alerts"]]
    assert all(alert["annotations"]["summary"] and alert["annotations"]["action"] for alert in told)
    assert "Watchdog" not in {alert["labels"]["alertname"] for alert in told}


def test_where_alerts_go_is_private(host):
    file = host.file("/etc/prometheus/alertmanager.yml")
    assert (file.user, file.group, file.mode) == ("root", "prometheus", 0o640)
    assert {"webhook_configs", "email_configs"} <= set(file.content_string.replace(":", " ").split())


def test_measurements_are_bounded(host):
    flags = ask(host, "api/v1/status/flags")["data"]
    assert flags["storage.tsdb.retention.time"] == "30d"
    assert flags["storage.tsdb.retention.size"] in ("2GB", "2GiB")  # as releases write it
