"""What is waited for of a host of the lab."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from lab.containers import wait_port
from tests.ports import free_port


def test_a_port_that_answers_later_is_waited_for():
    port = free_port()

    def listen():
        time.sleep(0.5)
        with socket.create_server(("127.0.0.1", port)) as server:
            server.accept()

    thread = threading.Thread(target=listen)
    thread.start()
    wait_port("127.0.0.1", port, timeout=30)
    thread.join()


def test_a_port_that_does_not_answer_is_named():
    port = free_port()
    with pytest.raises(TimeoutError, match=f"127.0.0.1:{port} has not answered within 0.3 s"):
        wait_port("127.0.0.1", port, timeout=0.3)
