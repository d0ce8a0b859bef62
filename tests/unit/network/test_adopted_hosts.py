"""What a host has beside HAL: what stays, what changes, what is in the way, and what nobody named."""

from __future__ import annotations

from typing import Any

import pytest

from hal.network.adoption.hosts import adoption_hosts, found_on_host, obstacles, site_networks
from hal.network.adoption.report import adoption_open, adoption_page, adoption_proposal, adoption_table
from hal.network.validation import network_faults

SERVICES = {
    "speech": {"group": "ai", "port": 9000, "protocol": "http", "clients": [], "unit": "hal-speech"},
    "ollama": {"group": "ai", "port": 11434, "protocol": "http", "clients": [], "unit": "ollama"},
    "ssh": {"group": "ai", "port": 22, "protocol": "ssh", "clients": [], "unit": "ssh"},
}
OPEN = {"enabled": False, "refuses": False, "rules": []}
SHUT = {"enabled": True, "refuses": True, "rules": []}
SCRIPT = {
    "owner": "household",
    "program": "/usr/local/bin/ollama",
    "unit": "/etc/systemd/system/ollama.service",
    "drop_ins": [],
    "directory": "/usr/share/ollama/.ollama/models",
    "models": [{"name": "phi3:mini", "digest": "ab", "gib": 2.2}],
}


def listener(port: int, program: str, unit: str = "", **changes: Any) -> dict[str, Any]:
    """Return a socket as host_reading tells it."""
    told = {
        "protocol": "tcp",
        "address": "*",
        "port": port,
        "program": program,
        "unit": unit,
        "interface": "",
        "serves": True,
        "inside": False,
        "ours": False,
        "entry": f"{program}_{port}",
        "text": f"{program} on {port}",
    }
    return told | changes


def rule(text: str, *ports: tuple[int, str], source: str = "", allows: bool = True) -> dict[str, Any]:
    """Return a rule made by hand as host_reading tells it."""
    return {"text": text, "ports": [list(port) for port in ports], "source": source, "allows": allows}


def unit(name: str, *, ours: bool = False) -> dict[str, Any]:
    """Return a unit as host_reading tells it."""
    return {"name": name, "description": "", "path": f"/{name}", "active": True, "ours": ours}


def found(services: dict[str, Any] = SERVICES, /, **reading: Any) -> dict[str, Any]:
    """Return what is found on a host with this reading."""
    return found_on_host(reading, "ubuai", services, administrator="lawr")


def test_what_listens_and_nobody_named_is_proposed_with_those_whom_a_rule_lets_in() -> None:
    rules = [rule("allow from 192.0.2.0/24 to any port 8123 proto tcp", (8123, "tcp"), source="192.0.2.0/24")]
    told = found(
        listeners=[
            listener(8123, "hass", "hass.service", address="0.0.0.0"),
            listener(8123, "hass", "hass.service", address="::"),
            listener(3000, "grafana"),
            listener(9000, "python3", "hal-speech.service", ours=True),
        ],
        firewall=OPEN | {"rules": rules},
    )
    assert told["unknown"] == [
        "hass on 8123: not in network_foreign_services",
        "grafana on 3000: not in network_foreign_services",
    ]
    assert told["services"] == {
        "hass_8123": {
            "description": "hass (hass.service)",
            "group": "ubuai",
            "port": 8123,
            "protocol": "tcp",
            "clients": ["192.0.2.0/24"],
        },
        "grafana_3000": {
            "description": "grafana",
            "group": "ubuai",
            "port": 3000,
            "protocol": "tcp",
            "clients": ["any"],
        },
    }
    assert told["here"] == ["speech: python3 on 9000"]
    assert "ufw is enabled, and refuses what the inventory does not name" in told["changes"]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (listener(5432, "postgres", serves=False), "which no other host reaches"),
        (listener(53, "dnsmasq", inside=True), "which no other host reaches"),
        (listener(3000, "grafana"), "which its firewall lets nobody reach"),
    ],
)
def test_what_nobody_reaches_stays_and_is_nothing_to_decide(one: dict[str, Any], reason: str) -> None:
    told = found(listeners=[one], firewall=SHUT)
    assert told["left"] == [f"{one['text']}, {reason}"]
    assert (told["unknown"], told["services"], told["changes"]) == ([], {}, [])


def test_a_port_that_a_rule_opens_in_a_firewall_that_refuses_is_asked_about() -> None:
    told = found(
        listeners=[listener(3000, "grafana")],
        firewall=SHUT | {"rules": [rule("allow 3000/tcp", (3000, "tcp"))]},
    )
    assert told["services"]["grafana_3000"]["clients"] == ["any"]
    assert told["left"] == ["the firewall's rule `allow 3000/tcp`"]


def test_rules_for_ports_of_the_inventory_give_way() -> None:
    told = found(
        firewall=SHUT | {"rules": [rule("allow 22", (22, "tcp"), (22, "udp")), rule("deny out 25/tcp")]}
    )
    assert told["changes"] == ["the firewall's rule `allow 22` gives way to the inventory's"]
    assert told["left"] == ["the firewall's rule `deny out 25/tcp`"]


@pytest.mark.parametrize(
    ("one", "advice"),
    [
        (listener(9000, "whisper", "whisper.service"), "stop it (`systemctl disable --now whisper.service`)"),
        (listener(9000, "python3", "session-3.scope"), "give it another port, or stop it"),
        (
            listener(9000, "docker-proxy", "docker.service", serves=False),
            "publish the container at another port",
        ),
        (
            listener(9000, "systemd", "init.scope"),
            "give it another port, or disable the socket unit that `systemctl list-sockets` names",
        ),
    ],
)
def test_another_program_on_a_port_of_hals_is_in_the_way_and_named(one: dict[str, Any], advice: str) -> None:
    (sentence,) = obstacles({"listeners": [one]}, SERVICES)
    assert sentence.startswith(f"{one['text']}, where HAL's speech is to listen: ") and sentence.endswith(
        advice
    )


@pytest.mark.parametrize(
    "one",
    [
        listener(9000, "python3", "hal-speech.service"),
        listener(9000, "python3", "hal-other.service", ours=True),
        listener(9000, "python3", "hal-engine.service"),
        listener(9000, "the kernel"),
        listener(22, "systemd", "init.scope"),
    ],
    ids=[
        "its own unit",
        "another one that HAL wrote",
        "one of another mode",
        "a program that is not known",
        "whatever serves SSH",
    ],
)
def test_what_is_hals_or_cannot_be_told_is_not_in_the_way(one: dict[str, Any]) -> None:
    assert obstacles({"listeners": [one]}, SERVICES) == []


def test_another_program_on_the_port_that_ssh_is_to_have_is_in_the_way() -> None:
    gitea = listener(22, "docker-proxy", "docker.service")
    (sentence,) = obstacles({"listeners": [gitea]}, SERVICES)
    assert "where HAL's ssh is to listen: publish the container at another port" in sentence


def test_a_server_that_somebody_set_up_is_in_the_way_where_hal_has_one_for_itself() -> None:
    reading = {"programs": {"nginx": ["/etc/nginx/sites-enabled/photos"]}}
    assert obstacles(reading, SERVICES) == []
    nas = {
        "artifacts": SERVICES["speech"] | {"port": 8080, "unit": "nginx"},
        "packages": SERVICES["speech"] | {"port": 3142, "unit": "nginx"},
    }
    (sentence,) = obstacles(reading, nas)
    assert sentence == (
        "nginx with settings of the household's (/etc/nginx/sites-enabled/photos), where HAL runs artifacts "
        "and packages with settings of its own: give that another host in the inventory, or move what nginx "
        "serves here to another; -e programs_replace_existing=true gives it up, and its files stay beside "
        "HAL's as .before-hal"
    )
    assert obstacles(reading, nas, replace_programs=True) == []


@pytest.mark.parametrize(
    ("source", "clients"),
    [
        ("", ["any"]),
        ("192.0.2.0/24", ["192.0.2.0/24"]),
        ("198.18.60.10", []),
        ("198.18.60.0/28", []),
        ("198.18.0.0/16", ["198.18.0.0/16"]),
    ],
    ids=["everybody", "another network", "one whom HAL lets in", "some whom HAL lets in", "more than those"],
)
def test_who_could_ask_a_service_of_hals_by_a_rule_is_proposed_where_hal_would_not_let_them(
    source: str, clients: list[str]
) -> None:
    by_hand = [rule("a rule", (11434, "tcp"), source=source), rule("allow 22", (22, "tcp"))]
    of_hal = [
        {"port": 11434, "protocol": "tcp", "from": "198.18.60.0/24", "comment": "ollama"},
        {"port": 22, "protocol": "tcp", "from": "198.18.0.1", "comment": "ssh"},
    ]
    told = found_on_host({"firewall": SHUT | {"rules": by_hand}}, "ubuai", SERVICES, rules=of_hal)
    assert told["clients"] == ({"ollama": clients} if clients else {})
    sentence = "the firewall's rule `a rule` lets in more than HAL would: not in network_service_clients"
    assert told["unknown"] == ([sentence] if clients else [])
    asked = {"ollama": ["192.0.2.7"], "speech": ["192.0.2.8"]}
    proposal = adoption_proposal({"ubuai": told}, {}, [], clients=asked)
    wanted = {"network_service_clients": asked | {"ollama": ["192.0.2.7", *clients]}} if clients else {}
    assert proposal == wanted


def test_a_rule_that_refuses_lets_nobody_in() -> None:
    rules = [rule("deny 11434/tcp", (11434, "tcp"), allows=False)]
    assert found(firewall=SHUT | {"rules": rules})["unknown"] == []


def test_another_firewall_is_in_the_way() -> None:
    (sentence,) = found(units=[unit("firewalld.service")])["in_the_way"]
    assert "`systemctl disable --now firewalld.service`" in sentence


def test_an_ollama_of_its_own_script_is_handed_over_with_its_models() -> None:
    told = found(ollama=SCRIPT)
    assert told["in_the_way"] == [
        "an Ollama that HAL did not install (/usr/local/bin/ollama) with 1 model in "
        "/usr/share/ollama/.ollama/models: -e ollama_take_over=true hands it over, by "
        "`systemctl disable --now ollama && "
        "mkdir -p /var/lib/ollama && mv -T /usr/share/ollama/.ollama/models /var/lib/ollama/models && "
        "mv /usr/local/bin/ollama /usr/local/bin/ollama.before-hal && "
        "mv /etc/systemd/system/ollama.service /etc/systemd/system/ollama.service.before-hal`"
    ]
    assert obstacles({"ollama": SCRIPT}, SERVICES, take_over_ollama=True) == []
    assert told["models"] == [{"name": "phi3:mini", "digest": "ab", "gib": 2.2}]
    assert told["unknown"] == ["model phi3:mini, 2.2 GiB: not in network_language_models"]


def test_a_model_of_another_registry_stays_and_is_not_proposed() -> None:
    model = {"name": "hf.co/anna/Tiny-GGUF:Q4_K_M", "digest": "ab", "gib": 1.0}
    told = found(ollama=SCRIPT | {"models": [model]})
    assert (told["models"], told["unknown"]) == ([], [])
    assert told["left"][0].startswith("model hf.co/anna/Tiny-GGUF:Q4_K_M, 1.0 GiB, of another registry")


def test_an_ollama_on_a_host_that_is_no_ai_server_stays() -> None:
    told = found({}, ollama=SCRIPT)
    assert (told["in_the_way"], told["unknown"], told["models"]) == ([], [], [])
    assert told["left"] == ["model phi3:mini, 2.2 GiB", "Ollama (/usr/local/bin/ollama)"]


def test_units_of_the_distribution_and_of_hal_are_not_told() -> None:
    names = ["ssh.service", "getty@.service", "apt-daily.timer", "hal-backup@engine.timer", "ollama.service"]
    mine = [unit("hass.service"), unit("poll.timer"), unit("rsync.socket"), unit("marked.service", ours=True)]
    left = found(units=[*map(unit, names), *mine])["left"]
    assert left == ["unit hass.service", "unit poll.timer", "unit rsync.socket"]


def test_people_keys_jobs_containers_and_disks_stay() -> None:
    key = {"type": "ssh-ed25519", "fingerprint": "SHA256:own", "comment": "lawr"}
    other = key | {"fingerprint": "SHA256:other", "comment": "anna at home"}
    told = found_on_host(
        {
            "users": [
                {"name": "root", "keys": [key]},
                {"name": "lawr", "keys": [key]},
                {"name": "anna", "keys": [other]},
                {"name": "ben", "keys": []},
            ],
            "schedules": [{"path": "/etc/cron.d/x", "user": "root", "when": "@daily", "program": "/opt/x"}],
            "containers": [
                {"engine": "docker", "name": "db", "image": "pg", "state": "exited", "ports": "5432/tcp"}
            ],
            "disks": [
                {"path": "/srv/media", "device": "/dev/sdb1", "type": "ext4", "gib": 5.0},
                {"path": "/var/lib/ollama", "device": "/dev/sdc", "type": "ext4", "gib": 5.0},
            ],
        },
        "ubuai",
        SERVICES,
        administrator="lawr",
        disks=["/var/lib/ollama"],
    )
    assert told["left"] == [
        "user anna (SHA256:other anna at home)",
        "user ben (no key)",
        "cron, /etc/cron.d/x: /opt/x as root (@daily)",
        "container db (docker, pg, exited, 5432/tcp)",
        "disk /dev/sdb1 on /srv/media (ext4, 5.0 GiB), which HAL neither mounts nor brings back",
    ]
    assert told["unknown"] == []


def test_what_could_not_be_read_is_not_known() -> None:
    assert found(unread=["`docker ps` ended with 1."])["unknown"] == ["Not read: `docker ps` ended with 1."]
    hosts = adoption_hosts(["a", "b"], {"a": {"adopt_found": found()}, "b": {}})
    assert adoption_open({"a": hosts["a"]}) == 0
    assert hosts["b"]["unknown"] == ["It was not read: see above what failed there"]


def test_a_mac_is_left_and_nothing_to_decide() -> None:
    told = found(system="darwin", unread=[])
    assert (told["left"], told["unknown"]) == (["It runs Darwin, of which nothing is read"], [])


def test_of_a_proxy_the_sites_that_are_not_described_and_the_files_that_are_replaced_are_told() -> None:
    proxy = {
        "configuration": [{"path": "/etc/haproxy/haproxy.cfg"}],
        "unknown": ["/etc/haproxy/haproxy.cfg"],
        "summary": "web on *:80",
        "ports": [80, 8404],
    }
    reading = {"listeners": [listener(8404, "haproxy"), listener(3000, "grafana")], "firewall": OPEN}
    told = found_on_host(reading, "haproxy", SERVICES, proxy=proxy)
    assert told["services"].keys() == {"grafana_3000"}
    assert told["unknown"][1:] == ["the proxy serves web on *:80: not in network_sites"]
    assert told["changes"][1:] == [
        "/etc/haproxy/haproxy.cfg is replaced, and kept once as /etc/haproxy/haproxy.cfg.before-hal"
    ]


def test_whom_alone_the_firewall_lets_ask_a_port_of_a_proxy_is_proposed() -> None:
    near = rule("allow from 192.0.2.0/24 to any port 8404 proto tcp", (8404, "tcp"), source="192.0.2.0/24")
    rules = [near, rule("allow 443/tcp", (443, "tcp")), rule("allow 8443/udp", (8443, "udp"))]
    adopted = {"ports": [8404, 8443], "sites": [{"name": "cloud", "https_ports": [443]}]}
    told = site_networks({"firewall": SHUT | {"rules": rules}}, adopted)
    assert told == {8404: ["192.0.2.0/24"], 8443: []}
    assert site_networks({"firewall": OPEN | {"rules": rules}}, adopted) == {}


def two_hosts() -> dict[str, Any]:
    """Return what is found on two hosts with the same programs."""
    reading = {"listeners": [listener(3000, "grafana")], "firewall": OPEN, "ollama": SCRIPT}
    return {host: found_on_host(reading, host, SERVICES) for host in ("ubuai", "qm1")}


def test_a_proposal_has_what_the_inventory_says_and_names_nothing_twice() -> None:
    foreign = {"names": {"group": "nas", "port": 53, "protocol": "udp", "clients": ["any"]}}
    proposal = adoption_proposal(two_hosts(), foreign, [{"name": "llama3:latest"}], ["grafana_3000"])
    services = proposal["network_foreign_services"]
    assert list(services) == ["names", "grafana_3000_ubuai", "grafana_3000_qm1"]
    assert [services[name]["group"] for name in services] == ["nas", "ubuai", "qm1"]
    assert [model["name"] for model in proposal["network_language_models"]] == ["llama3:latest", "phi3:mini"]
    assert adoption_proposal({"ubuai": found()}, foreign, []) == {}


def test_what_is_proposed_is_valid(services: dict[str, Any], network: dict[str, Any]) -> None:
    told = {"nas": found_on_host({"listeners": [listener(3000, "grafana")], "firewall": OPEN}, "nas", {})}
    foreign = adoption_proposal(told, {}, [], services.keys())["network_foreign_services"]
    description = network | {
        "catalogue": services,
        "subnets": ["198.18.0.0/16"],
        "administrators": ["198.18.0.1/32"],
        "foreign": foreign,
    }
    assert network_faults(description) == []
    assert network_faults(description | {"foreign": {"x": foreign["grafana_3000"] | {"group": "nobody"}}})


def test_the_report_says_of_each_host_what_is_to_decide_and_escapes_what_it_read() -> None:
    hosts = {"calm": found(users=[{"name": "anna", "keys": []}]), "busy": two_hosts()["ubuai"]}
    hosts["busy"]["left"].append("unit <script>.service")
    table = adoption_table(hosts)
    assert "calm: HAL leaves: user anna (no key)" in table
    assert table[-1] == f"{adoption_open(hosts)} to decide."
    page = adoption_page(hosts, "lab", "2026-01-02T03:04:05+00:00")
    assert page.index(">busy<") < page.index(">calm<")
    assert "unit &lt;script&gt;.service" in page and "2026-01-02 03:04 UTC" in page
    assert adoption_table({"calm": hosts["calm"]})[-1] == "Nothing is unknown."
    assert "Nothing is unknown" in adoption_page({"calm": hosts["calm"]}, "lab", "now")
