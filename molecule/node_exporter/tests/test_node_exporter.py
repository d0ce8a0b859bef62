"""What the node exporter tells of its host."""

import re
import time

import pytest

pytestmark = pytest.mark.units("prometheus-node-exporter", "hal-gpu-metrics.timer", "hal-gpu-metrics")

WAIT_S = 60
ASK = "curl --silent --fail --cacert /etc/ssl/certs/scenario.crt"


def metrics(host):
    """Return what the exporter tells now."""
    return host.check_output(f"{ASK} https://localhost:9100/metrics")


@pytest.fixture
def told(host):
    """Return what is told, once the GPUs were asked."""
    deadline = time.monotonic() + WAIT_S
    while "hal_gpu_count" not in (text := metrics(host)):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return text


def value(text, series):
    """Return the value of a series, given as the beginning of its line."""
    found = [line for line in text.splitlines() if line.startswith(series)]
    assert found, f"no {series} is told"
    return float(found[0].rpartition(" ")[2])


def test_it_runs_and_starts_at_boot(host):
    for name in ("prometheus-node-exporter", "hal-gpu-metrics.timer"):
        assert host.service(name).is_enabled
        assert host.run(f"systemctl is-active {name}").stdout.strip() == "active"


def test_other_programs_text_files_are_told(host):
    host.check_output("echo 'hal_scenario 7' > /var/lib/prometheus/node-exporter/scenario.prom")
    assert value(metrics(host), "hal_scenario") == 7


def test_states_of_units_are_told_of_these_alone(told):
    names = set(re.findall(r'node_systemd_unit_state\{name="([^"]+)"', told))
    assert {"prometheus-node-exporter.service", "hal-gpu-metrics.timer"} <= names
    assert not names & {"ssh.service", "dbus.service"}


def test_the_gpus_are_told_as_the_tool_shows_them(host, told):
    rows = host.file("/var/lib/nvidia-smi.csv").content_string.strip().splitlines()
    assert value(told, "hal_gpu_count") == len(rows)
    assert value(told, "hal_gpu_expected") == 3
    assert told.count("hal_gpu_temperature_celsius{") == len(rows)


def test_a_tool_that_fails_is_a_gpu_that_is_absent(host):
    host.check_output("mv /var/lib/nvidia-smi.csv /var/lib/away")
    try:
        host.check_output("systemctl start hal-gpu-metrics")
        assert value(metrics(host), "hal_gpu_count") == 0
    finally:
        host.check_output("mv /var/lib/away /var/lib/nvidia-smi.csv && systemctl start hal-gpu-metrics")


def test_the_gpus_are_asked_by_an_account_of_its_own_that_may_write_nothing(host, weighed):
    weighed("hal-gpu-metrics", most=20)
    text, state = "/var/lib/prometheus/node-exporter", "/var/lib/hal/gpu"
    tool = host.file("/usr/local/bin/nvidia-smi").content_string
    asks = f"id -u > {state}/account; touch {text}/own.prom {state}/../own; "
    host.check_output("sed --in-place %s /usr/local/bin/nvidia-smi", f"2i {asks}")
    try:
        host.check_output("systemctl start hal-gpu-metrics")
        assert int(host.check_output(f"cat {state}/account")) >= 61_184  # systemd's dynamic users
        assert not host.file(f"{text}/own.prom").exists and not host.file(f"{state}/../own").exists
    finally:
        host.check_output("printf %s %s > /usr/local/bin/nvidia-smi", "%s", tool)
        host.check_output("systemctl start hal-gpu-metrics")
    assert host.file(f"{text}/hal_gpu.prom").mode == 0o644
    assert not host.file(f"{text}/hal_gpu.new").exists


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_it_tells_of_the_host_within_the_limits_of_its_unit(host, weighed, action):
    weighed("prometheus-node-exporter")
    host.check_output(
        f"systemctl {action} prometheus-node-exporter && timeout 30 sh -c"
        f" 'until {ASK} --output /dev/null https://localhost:9100/metrics; do sleep 0.2; done'"
    )
    text = metrics(host)
    for collector in ("filesystem", "netdev", "netclass", "systemd", "textfile", "timex", "cpu", "meminfo"):
        assert value(text, f'node_scrape_collector_success{{collector="{collector}"}}') == 1, collector


def test_mounts_are_told_as_the_host_has_them(host):
    """And not as the unit has them, for which most of them cannot be written to."""
    told = re.findall(
        r'^node_filesystem_readonly{.*mountpoint="([^"]+)"} ([01])', metrics(host), re.MULTILINE
    )
    mounts = [line.split() for line in host.check_output("cat /proc/1/mounts").splitlines()]
    options = {place: options.split(",") for _, place, _, options, *_ in mounts}
    assert told
    assert {place: value == "1" for place, value in told} == {
        place: "ro" in options[place] for place, _ in told
    }


def test_nothing_is_told_in_clear_or_by_old_versions(host):
    assert "node_" not in host.run("curl --silent http://localhost:9100/metrics").stdout
    connect = "openssl s_client -connect localhost:9100 -CAfile /etc/ssl/certs/scenario.crt </dev/null"
    assert "Cipher is (NONE)" in host.run(f"{connect} -tls1_1 -cipher ALL:@SECLEVEL=0").stdout
    for version in ("-tls1_2", "-tls1_3"):
        assert "Verify return code: 0" in host.run(f"{connect} {version}").stdout


def test_nobody_else_reads_the_key(host):
    key = host.file("/etc/hal/node-exporter.pem")
    assert (key.user, key.group, oct(key.mode)) == ("root", "prometheus", "0o640")
