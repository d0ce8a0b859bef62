"""HAProxy's own view: what a real one answered, and what it would answer if something were wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest
from tests.conftest import ModuleFailed
from tests.unit.checks.servers import http_server

RECORDED = (Path(__file__).parents[2] / "data/health/haproxy.txt").read_text()
STATISTICS = RECORDED[RECORDED.index("# pxname") :]


@pytest.fixture
def healthy(run_module, tmp_path):
    """Run the module with a control socket that answers these texts in turn, and return the result."""

    def run(*texts: str, **options) -> dict:
        path = tmp_path / "admin.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()

            def answer() -> None:
                for text in texts:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        assert connection.recv(100) == b"show info;show stat\n"
                        connection.sendall(text.encode())

            thread = threading.Thread(target=answer)
            thread.start()
            try:
                return run_module("haproxy_health", {"control_socket": str(path), **options})
            finally:
                thread.join()

    return run


def row(name: str, server: str, **changes: str) -> tuple[str, str]:
    """Return a line of the recorded statistics as it is and as it is to be."""
    columns = STATISTICS.splitlines()[0].removeprefix("# ").split(",")
    line = next(line for line in STATISTICS.splitlines() if line.startswith(f"{name},{server},"))
    values = dict(zip(columns, line.split(","), strict=True)) | changes
    return line, ",".join(values.values())


def test_a_proxy_that_comes_up_before_what_is_behind_it_may_be_healthy(healthy):
    servers = row("qm_voice_gateway", "qm1", status="DOWN")
    backend = row("qm_voice_gateway", "BACKEND", status="DOWN")
    down = RECORDED.replace(*servers).replace(*backend)
    assert healthy(down, servers_up=False)["message"] == "haproxy on this host: 1 servers up"
    with pytest.raises(ModuleFailed, match="qm_voice_gateway/qm1 is DOWN"):
        healthy(down)


def test_a_server_that_haproxy_does_not_check_is_no_fault(healthy):
    unchecked = row("qm_voice_gateway", "qm1", status="no check")
    assert healthy(RECORDED.replace(*unchecked))["details"]["servers"]["qm_voice_gateway/qm1"] == "no check"


def test_a_back_end_that_is_not_asked_for_may_be_off_and_is_told(healthy):
    servers = row("qm_voice_gateway", "qm1", status="DOWN", last_chk="timeout")
    off = RECORDED.replace(*servers).replace(*row("qm_voice_gateway", "BACKEND", status="DOWN"))
    told = healthy(off, backends=["hal_speech"])["message"]
    assert told == "haproxy on this host: 1 servers up; qm_voice_gateway/qm1 is DOWN (timeout)"
    with pytest.raises(ModuleFailed, match="qm_voice_gateway/qm1 is DOWN"):
        healthy(off, backends=["qm_voice_gateway"])


def test_what_a_real_haproxy_said_is_healthy(healthy):
    result = healthy(RECORDED, max_queue=0, max_sessions_percent=50)
    assert (result["ok"], result["version"]) == (True, "3.0.11-1+deb13u5")
    assert result["message"] == "haproxy on this host: 2 servers up"
    assert result["details"]["servers"] == {"qm_voice_gateway/qm1": "UP", "hal_speech/ubuai": "UP"}
    assert result["details"]["sessions"]["voice_gateway"] == 2
    assert result["details"]["queues"] == {"qm_voice_gateway": 0, "hal_speech": 0}


def test_a_table_that_counts_addresses_has_no_queue(healthy):
    _, table = row("hal_speech", "BACKEND", pxname="hal_connections")
    result = healthy(RECORDED.rstrip("\n") + f"\n{table}\n\n")
    assert result["details"]["queues"] == {"qm_voice_gateway": 0, "hal_speech": 0}


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            [row("hal_speech", "ubuai", status="DOWN", last_chk="HTTP status 503")],
            {},
            "hal_speech/ubuai is DOWN (HTTP status 503). See what the checks say of those servers",
        ),
        (
            [row("hal_speech", "ubuai", status="DOWN 1/2", last_chk="", check_status="* L4TOUT")],
            {},
            "hal_speech/ubuai is DOWN 1/2 (L4TOUT)",
        ),
        (
            [row("hal_speech", "BACKEND", status="DOWN")],
            {},
            "hal_speech has no server to lead to",
        ),
        (
            [row("qm_voice_gateway", "qm1", status="MAINT")],
            {},
            "qm_voice_gateway/qm1 was taken out of service by hand (MAINT). On proxy1: `echo",
        ),
        (
            [row("qm_voice_gateway", "BACKEND", qcur="7")],
            {"max_queue": 6},
            "7 requests wait at back end qm_voice_gateway, more than 6. Take load off it",
        ),
        (
            [row("voice_gateway", "FRONTEND", scur="1900")],
            {"max_sessions_percent": 90},
            "front end voice_gateway has 95 % of its sessions in use, more than 90 %",
        ),
    ],
)
def test_what_is_wrong_is_said(healthy, changes, options, message):
    text = RECORDED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ModuleFailed) as failure:
        healthy(text, host="proxy1", **options)
    assert message in failure.value.result["msg"]


def test_a_proxy_that_leads_nowhere_is_said(healthy):
    frontends = "\n".join(line for line in STATISTICS.splitlines() if ",FRONTEND," in line or "#" in line)
    with pytest.raises(
        ModuleFailed, match=r"knows no servers. Look at /etc/haproxy/haproxy.cfg on this host"
    ):
        healthy(frontends)


BROKEN_OFF = RECORDED[: RECORDED.index("# pxname")]


def test_an_answer_that_a_restart_broke_off_is_asked_for_once_more(healthy):
    assert healthy(BROKEN_OFF, RECORDED)["ok"]
    with pytest.raises(ModuleFailed, match="does not tell HAProxy's statistics but 'Name: HAProxy"):
        healthy(BROKEN_OFF, BROKEN_OFF)


@pytest.mark.parametrize(
    "text",
    ["", "Unknown command\n", "220 mail\r\n", RECORDED[: RECORDED.index("# pxname") + 60], STATISTICS[:3000]],
)
def test_what_is_no_statistics_is_said(healthy, text):
    with pytest.raises(ModuleFailed, match="does not tell HAProxy's statistics but"):
        healthy(text)


def test_without_a_control_socket_haproxy_does_not_run(run_module, tmp_path):
    with pytest.raises(ModuleFailed, match="does not exist: the service does not run"):
        run_module("haproxy_health", {"control_socket": str(tmp_path / "none.sock")})


@pytest.mark.parametrize(("listens", "message"), [(True, "timed out"), (False, "Connection refused")])
def test_a_control_socket_where_nobody_answers_is_said(run_module, tmp_path, listens, message):
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        if listens:
            server.listen()
        with pytest.raises(ModuleFailed, match=f"does not answer on {path}: .*{message}"):
            run_module("haproxy_health", {"control_socket": str(path), "timeout": 0.3})


def test_the_page_of_statistics_is_read_from_elsewhere(run_module):
    with http_server({"/stats;csv": (200, STATISTICS.encode()), "/private;csv": (401, b"who?")}) as port:
        options = {"control_socket": "", "host": "proxy1", "address": "127.0.0.1", "port": port}
        result = run_module("haproxy_health", options | {"max_queue": 0})
        with pytest.raises(ModuleFailed, match=r"GET /private;csv was answered with 401: who\?"):
            run_module("haproxy_health", options | {"path": "/private;csv"})
    assert result["ok"] and result["version"] == "" and result["latency_ms"] > 0
