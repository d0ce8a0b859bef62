"""A service that encrypts nothing, encrypted at a further port."""

import pytest

pytestmark = pytest.mark.units("hal-tls")

ASK = "curl --silent --show-error --max-time 10 --cacert /etc/ssl/certs/scenario.crt "
URL = "https://localhost:9443/"


def test_it_runs_and_starts_at_boot(host):
    service = host.service("hal-tls")
    assert service.is_running and service.is_enabled


@pytest.mark.parametrize("version", ["--tlsv1.2 --tls-max 1.2", "--tlsv1.3"])
def test_what_the_service_says_comes_encrypted(host, version):
    assert host.check_output(f"{ASK} {version} {URL}") == "some words"


def test_the_certificate_names_the_host(host):
    assert "no alternative certificate subject name" in host.run(f"{ASK} https://127.0.0.1:9443/").stderr


def test_nothing_is_said_in_clear(host):
    assert "some words" not in host.run(f"{ASK} http://localhost:9443/").stdout


def test_old_versions_and_suites_are_refused(host):
    connect = "openssl s_client -connect localhost:9443 -CAfile /etc/ssl/certs/scenario.crt </dev/null"
    assert "Cipher is (NONE)" in host.run(f"{connect} -tls1_1 -cipher ALL:@SECLEVEL=0").stdout
    assert "Cipher is (NONE)" in host.run(f"{connect} -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256").stdout
    assert "Cipher is ECDHE" in host.run(f"{connect} -tls1_2").stdout


def test_nobody_else_reads_the_key(host):
    key = host.file("/etc/hal/tls.pem")
    assert (key.user, key.group, oct(key.mode)) == ("root", "hal-tls", "0o640")


def test_the_unit_is_kept_from_what_it_does_not_need(host):
    shown = host.check_output("systemd-analyze security --no-pager hal-tls.service")
    assert float(shown.rstrip().splitlines()[-1].split(":")[1].split()[0]) <= 2.0, shown
