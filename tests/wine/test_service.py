"""The gateway as a Windows service under Shawl answers, comes back after a crash, and drains when stopped."""

from __future__ import annotations

import json
import socket
import struct
import threading

from tests.wine.machine import windows_path
from tests.wine.service import HOME, WAIT_S, until
from websockets.sync.client import connect


def test_it_answers_a_turn_and_runs_winloop(service):
    result = service.check()
    assert result["ok"], result["message"]
    assert result["message"] == "answered: You take metformin." and result["from"] == "qm1"
    assert "without winloop" not in service.log


def test_a_crash_is_followed_by_a_restart(service):
    killed = service.machine.run("taskkill", "/f", "/im", "python.exe")
    assert killed.returncode == 0, killed.stdout.decode()
    until(lambda: service.log.count("listening on") == 2, "the restarted gateway")
    assert service.check()["ok"]
    assert "stopping:" not in service.log, "it was not asked to stop"


def test_a_stop_lets_the_turn_in_flight_end(service, listener):
    listener.release.clear()
    with connect(f"ws://127.0.0.1:{service.port}", proxy=None) as client:
        client.send(json.dumps({"type": "text_input", "text": "What medications am I taking?"}))
        assert listener.asked.wait(WAIT_S)
        stop = threading.Thread(target=service.stop)
        stop.start()
        until(lambda: "stopping: 1 sessions open" in service.log, "the drain")
        listener.release.set()
        frames = [json.loads(frame) for frame in client]
    stop.join(WAIT_S)
    assert [frame["text"] for frame in frames if frame["type"] == "response"] == ["You take metformin."]
    assert client.close_code == 1001
    log = service.log
    assert "hal.gateway.main: stopped" in log
    assert "with code 0" in log.rpartition("Sending ctrl-C")[2]
    assert log.count("Launching command") == 1, "a stop that was asked for is no crash"


def reset_connections(port, count):
    """Connect and reset at once, as often as asked or until nothing listens; return how often."""
    for done in range(count):
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            return done
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    return count


def test_clients_that_reset_do_not_close_the_port(service):
    assert reset_connections(service.port, 200) == 200
    assert service.check()["ok"]
    assert service.log.count("Launching command") == 1


def test_without_winloop_a_port_that_was_closed_is_opened_by_a_restart(start_service, machine):
    shadow = machine.drive / HOME / "shadow"
    shadow.mkdir(exist_ok=True)
    (shadow / "winloop.py").write_text("raise ImportError('not here')\n")
    service = start_service(PYTHONPATH=windows_path(HOME / "shadow"))
    assert "without winloop" in service.log
    assert reset_connections(service.port, 200) < 200, "this loop no longer has the fault: is winloop needed?"
    until(lambda: service.log.count("listening on") == 2, "the restarted gateway")
    assert "the port no longer accepts connections" in service.log
    assert service.check()["ok"]
