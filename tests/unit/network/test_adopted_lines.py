"""Lines of a household's haproxy.cfg that look like others: described only where nothing changes by it."""

from __future__ import annotations

from typing import Any

import pytest

from hal.network.adoption.sites import adopt_sites
from hal.network.haproxy_config import ConfigurationError
from hal.network.haproxy_words import quoted, split_words
from hal.network.sites import site_faults

COMMON = {"description": "", "group": "proxies", "clients": ["clients"], "check": "flow"}
SERVICES: dict[str, Any] = {
    "proxy_https": COMMON | {"port": 443, "protocol": "https", "frontend": "voice_gateway_tls"},
    "proxy_http": COMMON | {"port": 80, "protocol": "http", "frontend": "redirect"},
    "proxy_metrics": COMMON | {"port": 8405, "protocol": "http"},
}
DEFAULTS = "defaults\n    mode http\n    timeout client 5s\n"
BACKEND = "\nbackend one\n    server one 192.0.2.5:80\nbackend two\n    server two 192.0.2.6:80\n"


def adopted(text: str, maps: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what becomes of a configuration."""
    return adopt_sites([{"path": "haproxy.cfg", "text": text}], maps or {}, SERVICES)


def front_end(*lines: str, bind: str = "bind :80") -> str:
    """Return a configuration with a front end of lines."""
    return DEFAULTS + "frontend web\n" + "".join(f"    {line}\n" for line in (bind, *lines)) + BACKEND


@pytest.mark.parametrize(
    "line",
    [
        "use_backend one if { path_beg -i /API }",
        "use_backend one if { path,lower -m beg /api }",
        "use_backend one if { path_beg api }",
        "use_backend one if { hdr(host) -i *.example.org }",
        "use_backend one if { hdr(host) -i [2001:db8::1] }",
        "use_backend one if { req.ssl_sni -i a.example.org }",
        "use_backend one unless { hdr(host) a.example.org } { path_beg /a } or { path_beg /b }",
        "http-request deny deny_status 413 if { req.hdr_val(content-length) gt 9 } { hdr(host) a.test }",
        "http-request set-header Host a.example.org",
        "http-request del-header host",
        "http-response set-header X-Origin %[capture.req.hdr(0)]",
        "http-request set-header X-Id %[unique-id]",
        "http-request set-header X-Part %[fe_name]",
        "http-request set-header X-Lua %[lua.who]",
        "http-request redirect location https://%[var(txn.where)]/",
        "http-response redirect location /elsewhere",
        "errorfile 503 /etc/haproxy/errors/holiday.http",
        "timeout client 0",
        "use_backend %[req.hdr(host),lower,map(/etc/haproxy/none.map)]",
    ],
)
def test_a_front_end_with_what_the_description_would_change_stays_as_it_is(line: str) -> None:
    found = adopted(front_end(line, "default_backend two"))
    assert [kept.partition(":")[0] for kept in found["kept"]] == ["frontend web"]
    assert line in found["fragment"]
    assert [site["name"] for site in found["sites"]] == ["web_80"]


@pytest.mark.parametrize(
    "map_text",
    ["a.example.org one # now\n", "a.example.org\n", "*.example.org one\n", "A.example.org one\n"],
)
def test_a_map_that_a_site_would_read_otherwise_stays(map_text: str) -> None:
    rule = "use_backend %[req.hdr(host),lower,map(/hosts.map)]"
    assert (
        "frontend web"
        in adopted(front_end(rule, "default_backend two"), {"/hosts.map": map_text})["fragment"]
    )


def test_what_a_map_does_not_name_is_the_defaults_whatever_rules_follow() -> None:
    rule = "use_backend %[req.hdr(host),lower,map(/hosts.map)]"
    maps = {"/hosts.map": "# names\nb.example.org\ttwo\na.example.org one\nb.example.org one\n"}
    found = adopted(front_end(rule, "use_backend one if { path_beg /never }", "default_backend two"), maps)
    assert [(site.get("names"), site.get("default", False), site["name"]) for site in found["sites"]] == [
        (["b.example.org"], False, "two"),
        (["a.example.org"], False, "one"),
        (None, True, "two_2"),
    ]
    assert not found["fragment"]


def test_what_the_front_end_says_of_an_answer_is_said_last() -> None:
    rules = "    {rule} set-header X-A {where}\n"
    text = DEFAULTS + "frontend web\n    bind :80\n    default_backend one\n"
    for where in ("front", "back"):
        text += "".join(rules.format(rule=f"http-{kind}", where=where) for kind in ("request", "response"))
        text += "backend one\n    server one 192.0.2.5:80\n" if where == "front" else ""
    (site,) = adopted(text)["sites"]
    assert [header["value"] for header in site["response_headers"]] == ["back", "front"]
    assert [header["value"] for header in site["request_headers"]] == ["front", "back"]


def test_an_acl_that_is_named_twice_is_both_also_before_its_second_line_and_on_two_ports() -> None:
    text = front_end(
        "bind :443 ssl crt /etc/ssl/home",
        "acl secure ssl_fc",
        "acl ours hdr(host) -i a.example.org",
        "http-request set-header X-Forwarded-Proto https if secure",
        "use_backend one if ours",
        "acl ours hdr(host) -i b.example.org",
    )
    found = adopted(text)
    assert [site["names"] for site in found["sites"]] == [["a.example.org", "b.example.org"]] * 2
    assert "frontend" not in found["fragment"]


@pytest.mark.parametrize(
    ("bind", "lines", "said"),
    [
        ("bind :443 ssl crt /c accept-proxy", [], "is told by another proxy who asks on 443"),
        ("bind :80", ["tcp-request connection expect-proxy layer4 if { src 192.0.2.1 }"], "another proxy"),
        ("bind :80 ssl crt /c", [], "speaks TLS on 80, where HAL speaks none"),
        ("bind :443", [], "speaks no TLS on 443"),
        ("bind 127.0.0.1:80", [], "listens on 80 for this host alone"),
        ("bind 192.0.2.1:443 ssl crt /a", ["bind 192.0.2.2:443 ssl crt /b"], "listens on 443 in two ways"),
        ('bind "192.0.2.1:${PORT}"', [], "does not say on which port it listens: write the port in digits"),
        ("bind :8405", [], "listens on 8405, which HAL needs for itself"),
        ("bind :80", [".if defined(X)", ".endif"], "leave only the lines that hold on this proxy"),
        ("bind :80", ["stats realm Zug\N{REPLACEMENT CHARACTER}nge"], "are not UTF-8"),
        ("bind :80", ["server fpm unix@/run/fpm.sock"], "have that program listen at a port of 127.0.0.1"),
    ],
)
def test_what_hal_cannot_stand_before_is_refused_with_its_line(
    bind: str, lines: list[str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"haproxy\.cfg, line \d+: ") as refused:
        adopted(front_end(*lines, "default_backend one", bind=bind))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ['user anna insecure-password "czNj', "user anna insecure-password czNj\N{REPLACEMENT CHARACTER}"]
)
def test_a_line_that_cannot_be_read_is_told_without_what_may_be_a_secret(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line 2: .*`user anna …`") as refused:
        adopted(f"userlist people\n    {text}\n")
    assert "czNj" not in str(refused.value)


def test_pages_of_errors_that_a_person_changed_stay() -> None:
    page = "/etc/haproxy/errors/503.http"
    text = front_end("default_backend one").replace("timeout client 5s", f"errorfile 503 {page}")
    assert not adopted(text)["kept"]
    found = adopted(text, {page: "HTTP/1.0 503 Away\r\n\r\n"})
    assert f"errorfile 503 {page}" in found["fragment"] and len(found["kept"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "http-response set-header X-Origin %[capture.req.hdr(0)] if { capture.req.hdr(0) -m found }",
        "http-request deny if { fe_name web }",
    ],
)
def test_a_front_end_on_which_a_back_end_relies_stays(line: str) -> None:
    text = front_end("capture request header Origin len 64", "default_backend one")
    assert not adopted(text)["kept"]
    found = adopted(text.replace("backend one\n    server", f"backend one\n    {line}\n    server"))
    assert "frontend web\n" in found["fragment"]


def test_a_server_that_is_asked_by_nobody_stays_so() -> None:
    text = front_end("default_backend one").replace("192.0.2.5:80", "192.0.2.5:80 weight 0")
    assert "server one 192.0.2.5:80 weight 0" in adopted(text)["fragment"]


def test_who_may_connect_is_asked_of_the_client_and_not_of_hals_front_end() -> None:
    found = adopted(front_end("tcp-request connection reject if { src 192.0.2.9 }", "default_backend one"))
    assert "    tcp-request session reject if { src 192.0.2.9 }" in found["fragment"]


def test_a_rule_that_is_never_asked_is_no_site() -> None:
    text = front_end(
        "bind :443 ssl crt /etc/ssl/home",
        "redirect scheme https if { hdr(host) -i a.test } !{ ssl_fc }",
        "use_backend one if { hdr(host) -i a.test b.test }",
        "use_backend two if { hdr(host) -i b.test }",
        "use_backend two if { hdr(host) -i a.test } { path_beg /never }",
    )
    sites = adopted(text)["sites"]
    names = [(site["name"], site["names"], site.get("http_ports", site.get("https_ports"))) for site in sites]
    assert names == [
        ("to_https", ["a.test"], [80]),
        ("one", ["b.test"], [80]),
        ("one_2", ["a.test", "b.test"], [443]),
    ]
    described = {"sites": sites, "fragments": [], "services": SERVICES, "names": ["haproxy"]}
    assert site_faults(described) == []


@pytest.mark.parametrize("second", ["backend one", "listen one"])
def test_two_of_one_name_are_told(second: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"line 12: there are two of the name one, the other in haproxy.cfg, line 8"
    ):
        adopted(front_end("default_backend one").rstrip() + f"\n{second}\n    server one 192.0.2.5:80\n")


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(ConfigurationError, match="line 1: a byte order mark stands before `global`"):
        adopted("\N{ZERO WIDTH NO-BREAK SPACE}global\n    daemon\n")


def test_line_ends_of_windows_and_characters_in_comments_are_read() -> None:
    text = "# Zug\N{REPLACEMENT CHARACTER}nge\n" + front_end("default_backend one")
    assert adopted(text.replace("\n", "\r\n")) == adopted(text)


@pytest.mark.parametrize(
    ("bind", "kind"),
    [
        ("bind :443 ssl crt /c ssl-min-ver TLSv1.3", "https_ports"),
        ("bind :443 ssl crt /c strict-sni", "https_ports"),
        ("bind :443 ssl crt /c\n    mode tcp", "https_ports"),
        ("bind :443 ssl crt /c\n    bind /run/inner.sock", "https_ports"),
        ("bind 192.0.2.1:443 ssl crt /c name a\n    bind 192.0.2.2:443 ssl crt /c name a", "https_ports"),
        ("bind :443 ssl crt /c\n    bind quic4@:443 ssl crt /c alpn h3", "https_ports"),
    ],
)
def test_a_front_end_that_decrypts_in_its_own_way_does_so_behind_hal(bind: str, kind: str) -> None:
    found = adopted(front_end("default_backend one", bind=bind))
    (site,) = found["sites"]
    assert site["passthrough"] and site[kind] == [443]
    moved = [line for line in found["fragment"].splitlines() if "abns@" in line]
    assert len(moved) == 1 and moved[0].startswith("    bind abns@site_web_443 accept-proxy ssl crt /c")
    assert "quic" not in bind or "bind quic4@:443 ssl crt /c alpn h3" in found["fragment"]


def test_the_mode_of_the_defaults_says_that_443_is_passed_through() -> None:
    text = "defaults\n    mode tcp\n    log-tag x\nlisten mux\n    bind :443\n    server one 192.0.2.5:443\n"
    (site,) = adopted(text)["sites"]
    assert (site["passthrough"], site["https_ports"]) == (True, [443])


def test_every_port_of_a_range_is_told_and_none_of_loopback() -> None:
    text = front_end(bind="bind :6000-6002") + "listen stats\n    bind 127.0.0.1:8404\n    bind [::1]:8404\n"
    found = adopted(text)
    assert found["ports"] == [6000, 6001, 6002]
    assert "bind :6000-6002" in found["fragment"]


@pytest.mark.parametrize("bind", ["bind :::80 v4v6", "bind [::]:80", "bind *:80\n    bind :::80 v6only"])
def test_ipv6_is_told_and_the_sites_are_described(bind: str) -> None:
    found = adopted(front_end("default_backend one", bind=bind))
    assert [site["name"] for site in found["sites"]] == ["one"]
    assert any("IPv6 of frontend web" in told for told in found["left"])


def test_defaults_that_alternate_are_written_once_each_with_what_they_have_of_others() -> None:
    text = (
        "defaults a\n    mode http\n    log-tag x\ndefaults b from a\n    mode tcp\n"
        "listen one\n    bind :9001\nlisten two from a\n    bind :9002\nlisten three\n    bind :9003\n"
        "listen four from b\n    bind :9004\n"
    )
    fragment = adopted(text)["fragment"]
    assert fragment.count("defaults a\n") == fragment.count("defaults b\n") == 1
    assert "defaults b\n    mode http\n    log-tag x\n    mode tcp\n" in fragment
    sections = [line for line in fragment.splitlines() if not line.startswith(" ") and line]
    assert sections == [
        "defaults b",
        "listen one",
        "defaults a",
        "listen two from a",
        "listen three from b",
        "listen four from b",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'http-request set-header Authorization "Basic czNjcmV0" if { path_beg /x }',
        "http-request set-header X-Token czNjcmV0 unless { src 192.0.2.1 }",
        "http-request deny unless { req.hdr(X-Token) -m str czNjcmV0 }",
        "acl known hdr(X-Api-Key) czNjcmV0",
        r"option httpchk GET / HTTP/1.1\r\nAuthorization:\ Basic\ czNjcmV0",
        "http-check send meth GET uri / hdr X-Token czNjcmV0 hdr Host x",
        r"tcp-check send AUTH\ czNjcmV0\r\n",
        "http-request replace-header Cookie (.*) czNjcmV0",
    ],
)
def test_a_secret_is_taken_out_wherever_it_stands_in_a_line(line: str) -> None:
    found = adopted(
        front_end("default_backend kept") + f"backend kept\n    {line}\n    server one 192.0.2.5:80\n"
    )
    assert "czNjcmV0" not in str(found) and len(found["secrets"]) == 1
    (told,) = (text for text in found["fragment"].splitlines() if "${SITE_" in text)
    words, before = split_words(told), split_words(line)
    assert len(words) == len(before)
    for word, was in zip(words, before, strict=True):
        assert word == was or was.startswith(word.partition("${")[0])


@pytest.mark.parametrize(
    "line",
    [
        "http-request deny unless { req.hdr(Authorization) -m found }",
        "acl basic hdr_beg(Authorization) -i Basic",
        'http-request set-header X-Token "${TOKEN}"',
    ],
)
def test_what_is_no_secret_stays_in_the_line(line: str) -> None:
    found = adopted(
        front_end("default_backend kept") + f"backend kept\n    {line}\n    server one 192.0.2.5:80\n"
    )
    assert f"    {line}\n" in found["fragment"] and not found["secrets"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"a\.b\d+ c\ d # e", (r"a\.b\d+", "c d")),
        (r'"a\.b\ c\#d" "\$x"', (r"a\.b c#d", "$x")),
        (r"'a\.b\\c' it\'s", (r"a\.b\\c", "it's")),
        (r"a\ttab\x41\$x\"y", ('a\ttabA\\$x"y',)),
        ("\tbind  :80\r", ("bind", ":80")),
        ('realm "" x', ("realm", "", "x")),
        ("a#b", ("a",)),
    ],
)
def test_words_are_those_that_haproxy_reads(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words
    assert split_words(" ".join(quoted(word) for word in words)) == words


def test_a_redirect_after_the_limit_of_a_body_has_it_too_and_the_smallest_holds() -> None:
    limit = "http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {} }}"
    found = adopted(front_end(limit.format(10), limit.format(20), "default_backend one"))
    assert found["sites"][0]["max_body"] == 10


def test_five_thousand_lines_are_read_soon() -> None:
    rules = [f"use_backend b{n} if {{ hdr(host) -i h{n}.example.org }}" for n in range(1600)]
    text = front_end(*rules) + "".join(f"backend b{n}\n    server s 192.0.2.7:{n + 1}\n" for n in range(1600))
    found = adopted(text)
    assert len(found["sites"]) == 1600 and len(text.splitlines()) > 4800
