"""An haproxy.cfg that cannot be taken over is refused with its line; what has no description is kept."""

from __future__ import annotations

from typing import Any

import pytest

from hal.network.adoption.sites import adopt_sites
from hal.network.haproxy_config import ConfigurationError, read_configuration

HTTP = "defaults\n  mode http\n"
SITE = HTTP + "frontend web\n  bind :80\n  use_backend a if {condition}\nbackend a\n  server a 192.0.2.1:80\n"


def adopt(text: str, services: dict[str, Any]) -> dict[str, Any]:
    return adopt_sites([{"path": "haproxy.cfg", "text": text}], {}, services)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("bind :80\n", "haproxy.cfg, line 1: `bind :80` belongs to no section"),
        ("global\n\n  log 'x\n", "haproxy.cfg, line 3: no closing quotation: `log 'x`"),
        ("global\n.if defined(A)\n", "haproxy.cfg, line 2: `.if` makes lines depend on a condition"),
        ("frontend a from b\n", "haproxy.cfg, line 1: there is no section `defaults b` above it"),
        (
            "listen a\n  bind :8405\n",
            "haproxy.cfg, line 1: listen a listens on 8405, which HAL needs for itself",
        ),
        ("frontend a\n  bind\n", "haproxy.cfg, line 2: `bind` lacks something"),
        ("frontend a\n  bind :80\n  use_backend\n", "haproxy.cfg, line 3: `use_backend` lacks something"),
        ("frontend a\n  acl x\n", "haproxy.cfg, line 2: `acl x` lacks something"),
        ("global\n  crt-base\n", "haproxy.cfg, line 2: `crt-base` lacks something"),
        ("frontend a\n  bind :$PORT\n", "haproxy.cfg, line 2: `bind :$PORT` does not say on which port"),
        (
            "frontend a\n  bind :8768\n  bind :9999\n",
            "haproxy.cfg, line 1: frontend a listens on 8768, which HAL needs",
        ),
        (
            "frontend a\n  bind 192.0.2.1:80\nfrontend b\n  bind 192.0.2.2:80\n",
            "haproxy.cfg, line 3: b listens on 80 as a does, on another address",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_named_with_its_line(
    services: dict[str, Any], text: str, fault: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        adopt(text, services)
    assert str(refused.value).startswith(fault)


def test_quotes_and_comments_are_read_as_haproxy_reads_them() -> None:
    text = "global # all\n  a \"b c\" 'd # e' f\\ g # h\n"
    (section,) = read_configuration([{"path": "x", "text": text}])
    assert section.lines[0].words == ("a", "b c", "d # e", "f g")


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ("{ hdr(host) -i A.org b.org }", {"names": ["a.org", "b.org"]}),
        ("{ req.hdr(host),lower -m end .a.org }", {"names": ["*.a.org"]}),
        ("{ hdr_beg(host) -i www. } { path_beg /x }", {"names": ["www.*"], "paths": ["/x"]}),
        ("{ path_beg /x } !{ hdr(host) a.org }", {"paths": ["/x"], "except_names": ["a.org"]}),
        ("{ hdr(host) a.org } !{ ssl_fc }", {"names": ["a.org"]}),
        ("{ hdr(host) a.org } || { hdr(host) b.org }", {"names": ["a.org", "b.org"]}),
    ],
)
def test_conditions_become_names_and_paths(
    services: dict[str, Any], condition: str, keys: dict[str, Any]
) -> None:
    adopted = adopt(SITE.format(condition=condition), services)
    assert adopted["fragment"] == ""
    (site,) = adopted["sites"]
    assert {
        key: site[key] for key in site if key in ("names", "paths", "except_names", "except_paths")
    } == keys


@pytest.mark.parametrize(
    "condition",
    [
        "{ src 10.0.0.0/8 }",
        "{ hdr_reg(host) x }",
        "{ hdr(host) -f /etc/hosts.lst }",
        "{ path_reg ^/x }",
        "TRUE",
    ],
)
def test_a_front_end_that_asks_for_more_stays_as_it_is_behind_hals(
    services: dict[str, Any], condition: str
) -> None:
    adopted = adopt(SITE.format(condition=condition), services)
    assert "bind abns@site_web_80 accept-proxy" in adopted["fragment"]
    assert adopted["kept"] == [f"frontend web: haproxy.cfg, line 5: use_backend a if {condition}"]
    (site,) = adopted["sites"]
    assert site["default"] and site["servers"] == [{"socket": "site_web_80", "send_proxy": "v2"}]


def test_a_site_whose_name_another_answers_before_it_is_never_asked(services: dict[str, Any]) -> None:
    text = (
        "frontend web\n  bind :80\n"
        "  use_backend a if { hdr(host) a.org } { path_beg /x }\n"
        "  use_backend b if { hdr(host) a.org b.org }\n"
        "  use_backend c if { hdr(host) b.org c.org }\n"
        "  use_backend d if { hdr(host) a.org } { path_beg /y }\n"
    )
    adopted = adopt(
        HTTP + text + "".join(f"backend {n}\n  server s 192.0.2.1:80\n" for n in "abcd"), services
    )
    assert [(site["name"], site["names"]) for site in adopted["sites"]] == [
        ("a", ["a.org"]),
        ("b", ["a.org", "b.org"]),
        ("c", ["c.org"]),
    ]


@pytest.mark.parametrize(
    "lines",
    ["redirect scheme https code soon", "use_backend %[req.hdr(host),lower,map(/hosts.map,a)]"],
    ids=["a code that is none", "a map with a line that leads nowhere"],
)
def test_what_says_nothing_that_could_be_described_is_kept_with_its_line(
    services: dict[str, Any], lines: str
) -> None:
    text = f"frontend web\n  bind :80\n  {lines}\nbackend a\n  server a 192.0.2.1:80\n"
    adopted = adopt_sites([{"path": "x", "text": text}], {"/hosts.map": "a.org\n"}, services)
    assert adopted["kept"] == [f"frontend web: x, line 3: {lines}"]


def test_defaults_with_a_name_stand_once_in_what_is_kept(services: dict[str, Any]) -> None:
    text = (
        "defaults plain\n  mode http\nfrontend x from plain\n  bind :9999\ndefaults other\n  mode tcp\n"
        "backend y\n  server s 192.0.2.1:80\nbackend z from plain\n  server s 192.0.2.1:80\n"
        "backend w from other\n  server s 192.0.2.1:80\nbackend v\n  server s 192.0.2.1:80\n"
    )
    heads = [line for line in adopt(text, services)["fragment"].splitlines() if line[:1].strip()]
    assert heads == [
        "defaults plain",
        "frontend x from plain",
        "defaults other",
        "backend y",
        "backend z from plain",
        "backend w from other",
        "backend v",
    ]


def test_hals_own_gateway_is_not_taken_over(services: dict[str, Any]) -> None:
    text = "frontend voice_gateway\n  bind :8768\nbackend qm_voice_gateway\n  server q 192.0.2.1:1\n"
    adopted = adopt(text, services)
    assert (adopted["sites"], adopted["fragment"]) == ([], "")
    assert len(adopted["left"]) == 2
