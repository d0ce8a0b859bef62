"""What HAProxy takes lines of a household's haproxy.cfg for, where that is not what they look like."""

from __future__ import annotations

import pytest
from tests.unit.network.test_adopted_lines import BACKEND, DEFAULTS, adopted, front_end

from hal.network.haproxy_config import ConfigurationError


@pytest.mark.parametrize("mode", ["", "    mode tcp\n"])
def test_a_front_end_without_a_mode_is_one_of_tcp_and_stays_as_it_is(mode: str) -> None:
    text = front_end("default_backend two").replace("    mode http\n", mode)
    found = adopted(text)
    assert [kept.partition(":")[0] for kept in found["kept"]] == ["frontend web"]
    assert [(site["http_ports"], site["passthrough"]) for site in found["sites"]] == [([80], False)]


def test_a_redirect_is_tried_after_every_http_request() -> None:
    found = adopted(
        front_end(
            "redirect location /late if { hdr(host) a.test }",
            "http-request redirect location /early if { path_beg /x }",
            "default_backend two",
        )
    )
    assert [site["redirect"]["location"] for site in found["sites"][:2]] == ["/early", "/late"]


def test_what_is_asked_of_servers_without_httpchk_is_asked_by_nobody() -> None:
    asked = front_end("default_backend one") + "    http-check expect status 200\n"
    found = adopted(asked.replace("default_backend one", "default_backend two").replace("6:80", "6:80 check"))
    assert "health" not in found["sites"][0]
    assert found["sites"][0]["servers"][0]["check"] is True


def test_an_answer_that_has_to_be_two_stays_as_it_is() -> None:
    lines = "    option httpchk GET /\n    http-check expect status 200\n    http-check expect status 204\n"
    found = adopted(front_end("default_backend two") + lines)
    assert found["kept"][0].startswith("backend two: ")


def test_a_section_has_its_defaults_whatever_its_comment_says() -> None:
    track = "    stick-table type ip size 1k\n"
    found = adopted(
        f"defaults a\n    mode http\nbackend one\n{track}backend two\n{track}"
        f"defaults b\n    mode tcp\nbackend three\n{track}"
        f"backend four\tfrom\ta\n{track}backend five from a # moved\n{track}"
    )
    assert "backend four\tfrom\ta\n" in found["fragment"]
    found = adopted(
        f"defaults a\n    mode http\nbackend one\n{track}defaults b\n    mode tcp\nbackend two\n{track}"
        f"backend three from a\n{track}"
    )
    assert "backend three from a\n" in found["fragment"]
    found = adopted(
        f"defaults b\n    mode tcp\ndefaults a\n    mode http\nbackend one\n{track}"
        f"backend two from b\n{track}backend three # moved from the old proxy\n{track}"
    )
    assert "backend three from a\n" in found["fragment"]


def test_ports_of_sections_that_are_no_proxies_are_told_and_none_is_hals() -> None:
    logs = "log-forward logs\n    bind :1514\n    bind 127.0.0.1:1515\n    log 127.0.0.1:514 local0\n"
    peers = "peers pair\n    bind :10000\n    server me\n    server other 192.0.2.9:10000\n"
    found = adopted(logs + peers)
    assert found["ports"] == [1514, 10000]
    assert "    server me\n" in found["fragment"]
    for port in (443, 8405):
        with pytest.raises(ConfigurationError, match=f"log-forward logs listens on {port}, which HAL needs"):
            adopted(logs.replace("1514", str(port)))


def test_the_interface_and_ipv6_of_a_front_end_are_told() -> None:
    found = adopted(front_end("default_backend two", bind="bind :80 interface eth1 tfo"))
    assert found["left"] == [
        "haproxy.cfg, line 5: the interface that frontend web listens on alone: HAL listens on 80 of all"
    ]
    assert "bind abns@site_web_80 accept-proxy tfo\n" in found["fragment"]
    found = adopted(front_end("default_backend two", bind="bind ipv6@:80"))
    assert found["left"] == ["haproxy.cfg, line 5: IPv6 of frontend web: HAL listens on 80 with IPv4"]
    text = front_end("http-request return status 204", bind="bind :80\n    bind ipv6@:8080")
    assert "bind :::8080\n" in adopted(text)["fragment"]


def test_a_back_end_that_a_request_names_by_a_part_stays_as_it_is() -> None:
    other = "frontend other\n    bind :443 ssl crt /x\n    option forwardfor\n    default_backend two\n"
    found = adopted(front_end("use_backend t%[req.hdr(x-part)]") + other)
    assert "backend two\n" in found["fragment"]


@pytest.mark.parametrize(
    "line",
    [
        "acl known url_param(token) -m str s3cret",
        "acl known urlp(api_key) s3cret",
        "acl known req.cook(session_token) -m str s3cret",
        "acl known http_auth_bearer -m str s3cret",
        "http-request deny unless { http_auth_bearer s3cret }",
    ],
)
def test_a_secret_that_is_asked_for_elsewhere_than_in_a_header_is_taken_out(line: str) -> None:
    found = adopted(
        DEFAULTS + f"frontend other\n    bind :8080\n    {line}\n    default_backend one\n" + BACKEND
    )
    assert "s3cret" not in found["fragment"] and len(found["secrets"]) == 1


@pytest.mark.parametrize(
    "line", ["cluster-secret s3cret", "setenv DB_PASS s3cret", "presetenv DB_PWD s3cret"]
)
def test_a_secret_of_the_whole_proxy_is_taken_out(line: str) -> None:
    found = adopted(f"global\n    {line}\n")
    assert "s3cret" not in found["fragment"] and len(found["secrets"]) == 1


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        (
            'http-request set-header Authorization "Bearer s3cret" if { src "${NET}" }',
            'http-request set-header Authorization "${SITE_AUTHORIZATION}" if { src "${NET}" }',
        ),
        ('stats auth "${WHO}"', 'stats auth "${WHO}"'),
        (
            'http-request set-header X-Token s3cret if { hdr(host) "${NAME}" }',
            'http-request set-header X-Token "${SITE_X_TOKEN}" if { hdr(host) "${NAME}" }',
        ),
    ],
)
def test_a_secret_is_taken_out_of_a_line_that_takes_words_from_the_environment(line: str, stays: str) -> None:
    found = adopted(front_end(line, "default_backend two"))
    assert f"    {stays}\n" in found["fragment"]
    assert "s3cret" not in str(found)
