"""flow_check: flows that are open and flows that are closed, as they must be or not."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from tests.conftest import ModuleFailed
from tests.ports import free_port
from tests.unit.checks.servers import stay, tcp_server


def flow(port: int, **options) -> dict:
    return {"host": "there", "address": "127.0.0.1", "port": port, **options}


def test_open_and_closed_flows_are_told_apart(run_module):
    closed = free_port()
    with tcp_server(stay) as port:
        result = run_module("flow_check", {"flows": [flow(port), flow(closed, open=False)]})
    assert (result["ok"], result["changed"]) == (True, False)
    assert result["message"] == "2 flows are as they must be"
    assert [(each["port"], each["open"], each["message"]) for each in result["flows"]] == [
        (port, True, "open"),
        (closed, False, "closed"),
    ]
    assert result["flows"][0]["latency_ms"] > 0 and result["flows"][1]["latency_ms"] is None


def test_every_flow_that_is_not_as_it_must_be_is_named_with_what_to_do(run_module):
    closed = free_port()
    with tcp_server(stay) as port:
        order = {"flows": [flow(port, open=False), flow(closed), flow(port)], "fail_on_fault": False}
        result = run_module("flow_check", order)
        with pytest.raises(ModuleFailed, match="2 of 3 flows are not as they must be"):
            run_module("flow_check", order | {"fail_on_fault": True}, check=True)
    assert f"there:{port}: 127.0.0.1:{port} can be reached and should not be" in result["message"]
    assert "Look at `ufw status` on there" in result["message"]
    assert f"there:{closed}: connection refused: nothing listens on 127.0.0.1:{closed}" in result["message"]
    assert [each["ok"] for each in result["flows"]] == [False, False, True]


def test_a_flow_whose_packets_are_dropped_is_closed(run_module):
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        for _ in range(8):  # with its queue full the kernel drops what else asks to connect
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        assert run_module("flow_check", {"flows": [flow(port, open=False)], "timeout": 0.3})["ok"]
        with pytest.raises(ModuleFailed, match=r"no answer from .* within 0.3 s: is a firewall in between\?"):
            run_module("flow_check", {"flows": [flow(port)], "timeout": 0.3})


def test_many_flows_are_tried_side_by_side(run_module):
    together = threading.Barrier(8, timeout=10)
    dial = socket.create_connection

    def wait_for_all(*arguments, **keywords):
        together.wait()  # every flow has begun before one is connected
        return dial(*arguments, **keywords)

    with tcp_server(stay) as port, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", wait_for_all)
        assert run_module("flow_check", {"flows": [flow(port)] * 8, "workers": 8})["ok"]


def test_a_slow_flow_is_a_fault_and_a_closed_one_has_no_latency(run_module):
    closed = free_port()
    with tcp_server(stay) as port:
        order = {"flows": [flow(port), flow(closed, open=False)], "fail_on_fault": False}
        assert run_module("flow_check", order | {"max_latency_ms": 60_000})["ok"]
        slow = run_module("flow_check", order | {"max_latency_ms": 0})
    assert [each["ok"] for each in slow["flows"]] == [False, True]
    assert "ms, more than 0 ms" in slow["message"]


def test_a_name_that_nobody_knows_is_said(run_module):
    order = {"flows": [{"host": "nowhere.invalid", "port": 1}]}
    with pytest.raises(
        ModuleFailed, match=r"nowhere.invalid:1: nowhere.invalid:1: .*(known|resolution|found)"
    ):
        run_module("flow_check", order)
