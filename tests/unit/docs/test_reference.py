"""What the network reference says, in each mode and for each inventory, and what it never says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from filter_plugins import hal as filters
from tests.unit.production.conftest import REAL_ADDRESS, Production

from hal.network import reference as words

from .conftest import FILES, ROOT

pytestmark = pytest.mark.slow

LAB_HOSTS = {"nas": "198.18.70.10", "mac": "198.18.60.10", "qm1": "198.18.34.103", "ubuai": "198.18.10.20",
             "haproxy": "198.18.50.100", "pve": "127.0.0.2"}  # fmt: skip
SECRETS = {
    name: f"tell-nobody-{name}"
    for name in (
        "network_backup_certificate", "network_backup_secret", "network_ca_certificate", "network_ca_key",
        "network_proxmox_password", "network_proxmox_root_password", "network_proxmox_token_secret",
        "network_proxy_certificate", "network_windows_password", "monitoring_webhook_url",
    )
} | {"network_device_tokens": {"mac": "tell-nobody-of-the-token"}}  # fmt: skip


class Page(HTMLParser):
    """A page's elements, in order, and whether each is closed."""

    VOID = ("meta", "link", "br", "img", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def rows(markdown: str, title: str) -> list[list[str]]:
    """Return the cells of the table in a chapter, without its head; an escaped bar parts no cells."""
    chapter = markdown.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")]
    assert len({len(re.split(r"(?<!\\)\|", line)) for line in lines}) == 1, lines
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def strings(value: Any) -> Iterator[str]:
    """Return every text in a value."""
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def of_the_lab(services: dict[str, Any]) -> dict[str, Any]:
    """Return the catalogue with what the lab chooses."""
    chosen = filters.with_household(services, {}, {}, ["network_ai_server_port", "network_internal_tls"])
    catalogue: dict[str, Any] = filters.catalogue_for_mode(chosen, "gateway")
    return catalogue


def test_every_host_is_named_with_its_address_and_how_to_get_in(reference):
    assert {row[0]: row[1] for row in rows(reference["README.md"], "Hosts")} == LAB_HOSTS
    logins = {row[0]: row[4] for row in rows(reference["README.md"], "Hosts")}
    assert logins["haproxy"] == "`ssh -p 2222 lawr@198.18.50.100`"
    assert logins["qm1"] == "`ssh -p 22 lawr@198.18.34.103`"
    assert "https://127.0.0.2:8006" in logins["pve"]
    for host, address in LAB_HOSTS.items():
        for name in FILES[1:]:
            assert host in reference[name] and address in reference[name]


def test_every_service_and_port_is_named(reference, services):
    catalogue = of_the_lab(services)
    told = {row[0]: (int(row[3]), row[4]) for row in rows(reference["README.md"], "Services")}
    assert told == {name: (service["port"], service["protocol"]) for name, service in catalogue.items()}
    assert {row[0]: row[5] for row in rows(reference["README.md"], "Services")}["tts"] == "the host itself"


def test_every_flow_is_in_the_list_and_in_the_drawing(reference):
    listed = {tuple(row) for row in rows(reference["README.md"], "Flows")}
    assert {
        ("mac", "haproxy", "443", "proxy_https"),
        ("administrators", "haproxy", "2222", "ssh_proxy"),
    } <= listed
    svg = ElementTree.fromstring(reference["network.svg"])
    titles = {title.text.rpartition(",")[0] for title in svg.iter("{http://www.w3.org/2000/svg}title")}
    assert {f"{row[0]} to {row[1]}: {row[3]}, port {row[2]}" for row in listed} <= titles
    assert len(titles) == len(listed) + 1


def test_clients_backups_machines_and_monitoring_are_described(reference):
    text = reference["README.md"]
    assert "export HAL_GATEWAY_URL=wss://haproxy\n" in text
    assert {(row[0], row[1], row[3]) for row in rows(text, "Backups")} == {
        ("engine", "qm1", "20 seconds"), ("certificates", "haproxy", "hour"),
    }  # fmt: skip
    assert {(row[0], row[1]) for row in rows(text, "Virtual machines")} == {
        ("qm1", "103"),
        ("ubuai", "120"),
        ("haproxy", "100"),
    }
    assert "<https://198.18.70.10:9090/alerts>" in text
    watched = ["gateway_tls", "qm1", "asked by http, `https://198.18.34.103:8769/readyz`"]
    assert watched in rows(text, "Monitoring")


def test_what_to_do_is_said_for_every_service_that_a_server_runs(reference, services):
    table = rows(reference["README.md"], "When something does not answer")
    told = {name: (row[1], row[2]) for row in table for name in row[0].split(", ")}
    assert told["gateway"] == ("qm1", "`sudo systemctl status -n 50 hal-gateway`")
    catalogue = of_the_lab(services)
    windows_only = {name for name, service in catalogue.items() if service["group"] == "windows_hosts"}
    assert told.keys() == catalogue.keys() - windows_only


def test_a_service_that_is_added_to_the_catalogue_is_everywhere(write, lab, services, tmp_path):
    added = {
        "description": "Lights | <b>lamps</b>", "group": "ai_servers", "port": 8123, "protocol": "http",
        "clients": ["clients"], "check": "http",
    }  # fmt: skip
    made = write(lab, tmp_path / "made", network_services=services | {"lights": added})
    assert [
        "lights",
        "Lights \\| &lt;b>lamps&lt;/b>",
        "ubuai",
        "8123",
        "http",
        "clients",
        "http",
        "",
    ] in rows(made["README.md"], "Services")
    assert ["mac", "ubuai", "8123", "lights"] in rows(made["README.md"], "Flows")
    assert "mac to ubuai: lights, port 8123" in made["network.svg"]
    assert "sudo ss -ltnp &#39;sport = :8123&#39;" in made["card.html"]


def test_the_card_stands_alone_and_is_well_formed(reference):
    page = Page(reference["card.html"])
    assert page.open == []
    assert not {"script", "link", "img"} & {tag for tag, _ in page.found}
    assert "@import" not in reference["card.html"] and "url(" not in reference["card.html"]
    assert ("html", {"lang": "en"}) in page.found
    for text in (
        "hal talk",
        "ssh -p 2222 lawr@198.18.50.100",
        "curl http://198.18.10.20:11434/api/tags",
    ):
        assert text in page.texts, text
    assert [text for text in page.texts if text.endswith("/lab playbooks/verify.yml")]


def test_in_phantom_mode_nothing_is_said_of_voice_or_the_listener(write, lab, tmp_path):
    made = write(lab, tmp_path / "made", hal_listener_mode="phantom")
    assert "listener" not in {row[0] for row in rows(made["README.md"], "Services")}
    assert ["qm1", "ubuai", "9000", "speech"] not in rows(made["README.md"], "Flows")
    assert "export QM_VOICE_PORT=8768\n" in made["README.md"]
    assert "hal talk" not in made["card.html"] and "in writing only" in made["card.html"]
    told = {row[0]: row[2] for row in rows(made["README.md"], "When something does not answer")}
    assert told["gateway"] == "`sudo systemctl status -n 50 hal-engine`"


def test_a_second_run_changes_nothing_and_a_check_writes_nothing(write, lab, reference, tmp_path):
    assert write(lab, tmp_path / "made", "--check").changed == 1
    assert not (tmp_path / "made").exists()
    assert reference.changed == 2
    assert sorted(path.name for path in reference.directory.iterdir()) == sorted(FILES)
    assert write(lab, reference.directory, "--diff").changed == 0
    assert write(lab, reference.directory, "--check").changed == 0


def test_no_secret_is_written_or_said(write, lab, tmp_path):
    made = write(lab, tmp_path / "made", "-v", "--diff", **SECRETS)
    assert made.changed == 2
    assert "tell-nobody" not in made.all


def test_the_production_network_is_described_with_its_windows_host(write, production, tmp_path):
    made = write(production.inventory, tmp_path / "made", "-v", "--diff", home=production.home)
    assert not REAL_ADDRESS.search(made.all)
    held = [text for text in strings(production.opened().read()) if text]
    kept = [line for text in held for line in text.splitlines() if len(line) > 10 and "-----" not in line]
    assert len(kept) > 20
    assert not [line for line in kept if line in made.all]
    hosts = {row[0]: row for row in rows(made["README.md"], "Hosts")}
    assert hosts["qm1"][2] == "Windows"
    assert (
        hosts["qm1"][4]
        == "`mstsc /v:127.1.34.103:3389` or `Enter-PSSession qm1 -Port 5986 -UseSSL -Credential lawr`"
    )
    assert hosts["mac"][1] == "dhcp" and hosts["mac"][4] == "at the machine itself"
    aid = {row[0]: row[2:] for row in rows(made["README.md"], "When something does not answer")}
    assert aid["gateway, gateway_tls"] == ["`Get-Service HalGateway`", "`Restart-Service HalGateway`"]
    assert aid["listener"] == ["`Get-Service QMSvc`", "`Restart-Service QMSvc`"]
    assert ["client networks", "haproxy", "443", "proxy_https"] in rows(made["README.md"], "Flows")
    assert ("account", "qm1", "day") in {
        (row[0], row[1], row[3]) for row in rows(made["README.md"], "Backups")
    }
    assert (
        f"-i {os.path.relpath(production.inventory, ROOT)} playbooks/recover.yml -e host=HOST"
        in made["card.html"]
    )


def test_an_inventory_that_nobody_has_filled_in_is_described_as_far_as_it_goes(write, tmp_path):
    checkout = Production(tmp_path)
    made = write(checkout.inventory, tmp_path / "made", home=checkout.home, hal_listener_mode="phantom")
    assert {row[0]: row[1] for row in rows(made["README.md"], "Hosts")}["nas"] == "not set"
    aid = {row[0]: row[2] for row in rows(made["README.md"], "When something does not answer")}
    assert aid["gateway"] == "`Get-Service QMSvc`"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (20, "20 seconds"),
        (60, "minute"),
        (90, "90 seconds"),
        (3600, "hour"),
        (7200, "2 hours"),
        (86400, "day"),
    ],
)
def test_an_interval_is_told_in_words(seconds, text):
    assert words.interval(seconds) == text
