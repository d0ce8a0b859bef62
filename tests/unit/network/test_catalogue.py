"""What is made of the catalogue: firewall rules, proxy configuration, checks and environment."""

import pytest
from filter_plugins import hal as filters

ADMINISTRATORS = ["198.18.0.1/32"]
VIRTUAL_ADDRESS = "198.18.50.99"
PROXMOX = {"host": "127.0.0.2", "port": 8006, "user": "root@pam"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "qm1",
            {
                (22, "198.18.0.1/32"),
                (8768, "198.18.60.10"),
                (8768, "198.18.50.100"),
                (8768, "198.18.70.10"),
                (9100, "198.18.70.10"),
            },
        ),
        (
            "ubuai",
            {
                (22, "198.18.0.1/32"),
                (9000, "198.18.34.103"),
                (9000, "198.18.50.100"),
                (9000, "198.18.60.10"),
                (9000, "198.18.70.10"),
                (9100, "198.18.70.10"),
                (11434, "198.18.34.103"),
                (11434, "198.18.60.10"),
                (11434, "198.18.70.10"),
            },
        ),
        (
            "haproxy",
            {
                (2222, "198.18.0.1/32"),
                (8768, "198.18.60.10"),
                (443, "198.18.60.10"),
                (443, "198.18.70.10"),
                (80, "198.18.60.10"),
                (8405, "198.18.70.10"),
                (9100, "198.18.70.10"),
            },
        ),
        ("mac", {(22, "198.18.0.1/32")}),
        (
            "nas",
            {
                (22, "198.18.0.1/32"),
                (8080, "198.18.34.103"),
                (8080, "198.18.10.20"),
                (8080, "198.18.50.100"),
                (8080, "198.18.60.10"),
                (3142, "198.18.34.103"),
                (3142, "198.18.10.20"),
                (3142, "198.18.50.100"),
                (3142, "198.18.60.10"),
                (9090, "198.18.0.1/32"),
                (8000, "198.18.34.103"),
                (8000, "198.18.50.100"),
            },
        ),
    ],
)
def test_a_host_lets_in_what_the_catalogue_says_and_nothing_else(catalogue, network, host, expected):
    rules = filters.firewall_rules(catalogue, host, **network, administrators=ADMINISTRATORS)
    assert {(rule["port"], rule["from"]) for rule in rules} == expected
    assert len(rules) == len(expected)
    assert {rule["protocol"] for rule in rules} == {"tcp"}
    assert rules == sorted(rules, key=lambda rule: (rule["port"], rule["from"]))


def test_a_rule_says_who_it_is_for(catalogue, network):
    rules = filters.firewall_rules(catalogue, "qm1", **network, administrators=ADMINISTRATORS)
    assert [rule["comment"] for rule in rules] == [
        "ssh from 198.18.0.1/32",
        "gateway from haproxy",
        "gateway from mac",
        "gateway from nas",
        "node_exporter from nas",
    ]


def test_a_hosts_own_traffic_needs_no_rule(catalogue, pairs):
    catalogue["gateway"]["clients"] = ["gateways"]
    rules = filters.firewall_rules(catalogue, "qm1", **pairs, administrators=[])
    assert [rule["comment"] for rule in rules if rule["port"] == 8768] == ["gateway from gateway2"]


def test_without_administrators_nobody_may_administer(catalogue, network):
    assert filters.firewall_rules(catalogue, "mac", **network, administrators=[]) == []


def test_a_new_host_is_let_in_where_its_group_is(catalogue, pairs):
    rules = filters.firewall_rules(catalogue, "ubuai2", **pairs, administrators=ADMINISTRATORS)
    assert {rule["from"] for rule in rules if rule["port"] == 9000} == {
        "198.18.34.103",
        "198.18.34.104",
        "198.18.50.100",
        "198.18.50.101",
        "198.18.60.10",
        "198.18.70.10",
    }


def test_a_service_of_nobody_else_listens_on_loopback(catalogue, network):
    def listens(service):
        return filters.listen_address(catalogue, service, network["groups"])

    assert (listens("listener"), listens("tts"), listens("alertmanager")) == ("127.0.0.1",) * 3
    assert (listens("gateway"), listens("ssh"), listens("node_exporter")) == ("0.0.0.0",) * 3


def test_a_further_gateway_alone_is_let_in_to_the_listener(catalogue, pairs):
    assert filters.listen_address(catalogue, "listener", pairs["groups"]) == "0.0.0.0"
    rules = filters.firewall_rules(catalogue, "qm1", **pairs, administrators=ADMINISTRATORS)
    assert [rule["from"] for rule in rules if rule["port"] == 8767] == ["198.18.34.104"]
    expected = {
        origin: check["expect"]
        for origin in pairs["groups"]["managed_hosts"]
        for check in filters.planned_checks(catalogue, origin, **pairs)
        if check["name"] == "listener" and check["address"] == "198.18.34.103"
    }
    assert {origin for origin, expect in expected.items() if expect == "open"} == {"qm1", "gateway2"}
    assert len(expected) == len(pairs["groups"]["managed_hosts"])


def test_only_the_other_proxy_may_speak_of_the_virtual_address(catalogue, network, pairs):
    rules = {
        host: filters.firewall_rules(catalogue, host, **pairs, administrators=ADMINISTRATORS)
        for host in pairs["groups"]["managed_hosts"]
    }
    assert {host: rule for host, own in rules.items() for rule in own if rule["protocol"] != "tcp"} == {
        "haproxy": {"protocol": "vrrp", "from": "198.18.50.101", "comment": "proxy_pair from haproxy2"},
        "haproxy2": {"protocol": "vrrp", "from": "198.18.50.100", "comment": "proxy_pair from haproxy"},
    }
    assert rules["haproxy"][0]["protocol"] == "vrrp"


def test_the_virtual_address_is_asked_by_those_who_use_or_must_not_reach_it(catalogue, pairs):
    seen = {
        (origin, check["name"], check["kind"], check["expect"])
        for origin in pairs["groups"]["managed_hosts"]
        for check in filters.planned_checks(catalogue, origin, **pairs)
        if check["address"] == VIRTUAL_ADDRESS
    }
    services = ("proxy_gateway", "proxy_https", "proxy_http")
    strangers = ("qm1", "gateway2", "ubuai", "ubuai2")
    assert seen == {
        ("mac", "proxy_gateway", "gateway", "open"),
        ("mac", "proxy_https", "gateway", "open"),
        ("mac", "proxy_http", "http", "open"),
        ("nas", "proxy_gateway", "flow", "closed"),
        ("nas", "proxy_https", "flow", "open"),
        ("nas", "proxy_http", "flow", "closed"),
        *((stranger, service, "flow", "closed") for stranger in strangers for service in services),
    }
    assert {check["host"] for check in filters.planned_checks(catalogue, "mac", **pairs)} >= {"hal"}


def test_clients_ask_at_the_virtual_address_where_there_is_one(catalogue, pairs):
    environment = filters.client_environment(catalogue, "mac", **pairs, administrator="lawr", proxmox=PROXMOX)
    assert environment["HAL_GATEWAY_URL"] == "ws://198.18.50.99:8768"
    assert environment["HAL_SPEECH_URL"] == "https://hal"
    assert environment["HAPROXY_HOST"] == "198.18.50.100"
    assert environment["QM_HOST"] == "198.18.34.103"


def test_the_virtual_address_is_probed_beside_the_proxies(catalogue, pairs):
    targets = {(target["host"], target["target"]) for target in filters.probe_targets(catalogue, **pairs)}
    assert {target for target in targets if target[1].endswith(":443")} == {
        ("haproxy", "198.18.50.100:443"),
        ("haproxy2", "198.18.50.101:443"),
        ("hal", "198.18.50.99:443"),
    }


def test_urls_name_every_host_of_a_service(catalogue, pairs):
    urls = filters.service_urls(catalogue, "speech", **pairs)
    assert urls == ["http://198.18.10.20:9000", "http://198.18.10.21:9000"]
    assert set(filters.service_urls(catalogue, "gateway", **pairs)) == {
        "ws://198.18.34.103:8768",
        "ws://198.18.34.104:8768",
    }
    assert filters.service_urls(catalogue, "proxy_https", **pairs)[0] == "https://198.18.50.100:443"


def test_the_proxys_frontends(catalogue):
    frontends = {frontend["name"]: frontend for frontend in filters.proxy_frontends(catalogue)}
    plain, encrypted, redirect = (
        frontends[name] for name in ("voice_gateway", "voice_gateway_tls", "redirect")
    )
    assert (plain["port"], plain["tls"]) == (8768, False)
    assert plain["routes"] == [{"path": "/", "backend": "qm_voice_gateway"}]
    assert (encrypted["port"], encrypted["tls"]) == (443, True)
    assert encrypted["routes"] == [
        {"path": "/v1/audio/", "backend": "hal_speech"},
        {"path": "/", "backend": "qm_voice_gateway"},
    ]
    assert redirect["redirect"] and redirect["routes"] == []


def test_the_proxys_backends_hold_every_server(catalogue, pairs):
    gateway, speech = filters.proxy_backends(catalogue, **pairs)
    assert (gateway["name"], gateway["kind"], gateway["health"]) == (
        "qm_voice_gateway",
        "websocket",
        "/readyz",
    )
    assert gateway["servers"] == [
        {"name": "qm1", "address": "198.18.34.103", "port": 8768},
        {"name": "gateway2", "address": "198.18.34.104", "port": 8768},
    ]
    assert [server["name"] for server in speech["servers"]] == ["ubuai", "ubuai2"]


def test_every_flow_is_checked_from_every_host(catalogue, network):
    hosts = network["groups"]["managed_hosts"]
    for origin in hosts:
        checks = filters.planned_checks(catalogue, origin, **network)
        seen = [(check["name"], check["host"]) for check in checks]
        expected = [
            (name, host)
            for name, service in catalogue.items()
            for host in filters.service_hosts(catalogue, name, network["groups"])
            if not (host == origin and service["protocol"] == "ssh") and service["protocol"] != "vrrp"
        ]
        assert sorted(seen) == sorted(expected)


def test_a_host_that_is_let_in_by_its_address_alone_has_no_authority_to_check_a_certificate_with(
    services, network
):
    open_to_all = filters.with_sites(services, [], [{"name": "old", "text": "", "ports": [443]}])
    catalogue = filters.catalogue_for_mode(open_to_all, "gateway")
    kinds = {
        origin: check["kind"]
        for origin in ("mac", "nas", "qm1")
        for check in filters.planned_checks(catalogue, origin, **network)
        if check["name"] == "proxy_https"
    }
    assert kinds == {"mac": "gateway", "nas": "flow", "qm1": "flow"}


def test_exactly_these_flows_between_hosts_are_open(catalogue, network):
    opened = {
        (origin, check["name"], check["host"])
        for origin in network["groups"]["managed_hosts"]
        for check in filters.planned_checks(catalogue, origin, **network)
        if check["expect"] == "open" and check["host"] != origin
    }
    assert opened == {
        ("qm1", "speech", "ubuai"),
        ("qm1", "ollama", "ubuai"),
        ("haproxy", "gateway", "qm1"),
        ("haproxy", "speech", "ubuai"),
        ("nas", "gateway", "qm1"),
        ("nas", "speech", "ubuai"),
        ("nas", "ollama", "ubuai"),
        ("nas", "proxy_https", "haproxy"),
        ("nas", "proxy_metrics", "haproxy"),
        *(("nas", "node_exporter", host) for host in ("qm1", "ubuai", "haproxy")),
        ("mac", "gateway", "qm1"),
        ("mac", "speech", "ubuai"),
        ("mac", "ollama", "ubuai"),
        ("mac", "proxy_gateway", "haproxy"),
        ("mac", "proxy_https", "haproxy"),
        ("mac", "proxy_http", "haproxy"),
        *(
            (origin, service, "nas")
            for origin in ("qm1", "ubuai", "haproxy", "mac")
            for service in ("artifacts", "packages")
        ),
        ("qm1", "backups", "nas"),
        ("haproxy", "backups", "nas"),
    }


def test_checks_know_which_hosts_run_windows(catalogue, network):
    network["groups"]["windows_hosts"] = ["qm1"]
    checks = filters.planned_checks(catalogue, "mac", **network)
    assert {check["host"] for check in checks if check["windows"]} == {"qm1"}


def test_the_firewall_lets_in_exactly_what_the_checks_expect_open(catalogue, pairs):
    hosts = pairs["groups"]["managed_hosts"]
    names = {address: host for host, address in pairs["addresses"].items()}
    let_in = {
        (names[rule["from"]], host, rule["port"])
        for host in hosts
        for rule in filters.firewall_rules(catalogue, host, **pairs, administrators=[])
        if "port" in rule
    }
    checked = {
        (origin, check["host"], check["port"])
        for origin in hosts
        for check in filters.planned_checks(catalogue, origin, **pairs)
        if check["expect"] == "open" and check["host"] not in (origin, "hal")
    }
    assert let_in == checked


def test_what_a_client_may_reach_is_checked_open_and_the_rest_closed(catalogue, network):
    checks = filters.planned_checks(catalogue, "mac", **network)
    opened = {(check["name"], check["kind"]) for check in checks if check["expect"] == "open"}
    assert opened == {
        ("gateway", "gateway"),
        ("speech", "speech"),
        ("ollama", "ollama"),
        ("proxy_gateway", "gateway"),
        ("proxy_https", "gateway"),
        ("proxy_http", "http"),
        ("artifacts", "http"),
        ("packages", "http"),
    }
    closed = {check["name"] for check in checks if check["expect"] == "closed"}
    administration = {"ssh", "ssh_proxy", "backups"}
    watching = {"proxy_metrics", "node_exporter", "prometheus", "alertmanager", "prober"}
    assert closed == {"listener", "tts"} | administration | watching
    assert {check["kind"] for check in checks if check["expect"] == "closed"} == {"flow"}


def test_a_host_checks_its_own_services_in_its_own_way(catalogue, network):
    own = {
        check["name"]: check
        for check in filters.planned_checks(catalogue, "haproxy", **network)
        if check["host"] == "haproxy"
    }
    assert {name: check["kind"] for name, check in own.items()} == {
        "proxy_gateway": "haproxy",
        "proxy_https": "flow",
        "proxy_http": "http",
        "proxy_metrics": "http",
        "node_exporter": "http",
    }
    listener = next(
        check for check in filters.planned_checks(catalogue, "qm1", **network) if check["name"] == "listener"
    )
    assert (listener["address"], listener["kind"], listener["expect"]) == ("127.0.0.1", "listener", "open")


def test_options_reach_the_checks_of_their_kind(catalogue, network):
    checks = filters.planned_checks(catalogue, "qm1", **network, options={"ollama": {"models": ["llama3"]}})
    assert [(check["name"], check["models"]) for check in checks if "models" in check] == [
        ("ollama", ["llama3"])
    ]


def test_the_clients_environment_has_every_name_of_today(catalogue, network):
    environment = filters.client_environment(
        catalogue, "mac", **network, administrator="lawr", proxmox=PROXMOX
    )
    assert environment == {
        "HAL_GATEWAY_URL": "ws://198.18.34.103:8768",
        "HAL_SPEECH_URL": "https://haproxy",
        "HAL_CA_FILE": "/etc/hal/ca.crt",
        "OLLAMA_HOST": "198.18.10.20",
        "OLLAMA_PORT": 11434,
        "OLLAMA_URL": "http://198.18.10.20:11434",
        "WHISPER_URL": "http://198.18.10.20:9000/transcribe",
        "HAPROXY_HOST": "198.18.50.100",
        "HAPROXY_SSH_PORT": 2222,
        "HAPROXY_USER": "lawr",
        "PROXMOX_HOST": "127.0.0.2",
        "PROXMOX_USER": "root",
        "QM_HOST": "198.18.34.103",
        "QM_VOICE_PORT": 8767,
        "QM_GATEWAY_PORT": 8768,
    }


def test_who_only_watches_asks_for_metrics_or_health_and_uses_nothing(catalogue, network):
    checks = filters.planned_checks(catalogue, "nas", **network)
    watched = {
        (check["name"], check["kind"], check.get("path"))
        for check in checks
        if check["expect"] == "open" and check["host"] != "nas"
    }
    assert watched == {
        ("gateway", "http", "/metrics"),
        ("speech", "http", "/metrics"),
        ("ollama", "http", "/"),
        ("proxy_https", "flow", None),
        ("proxy_metrics", "http", "/metrics"),
        ("node_exporter", "http", "/metrics"),
    }


def test_what_is_watched_lets_the_watchers_in(catalogue, network):
    watched = [name for name, service in catalogue.items() if service.get("metrics") or service.get("probe")]
    assert {"gateway", "speech", "ollama", "proxy_https", "backups", "node_exporter"} <= set(watched)
    for name in watched:
        clients, group = catalogue[name]["clients"], catalogue[name]["group"]
        assert "monitoring_servers" in clients or group == "monitoring_servers", name
