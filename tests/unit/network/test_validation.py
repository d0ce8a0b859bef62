"""Every fault in the description is found, said in a sentence, with the file to edit."""

import pytest
from ansible.module_utils.hal_checks.runner import KINDS

from hal.network import validation
from hal.network.catalogue import TYPES


@pytest.fixture
def description(services, network):
    """Return the lab's description, which has no fault."""
    return {
        **network,
        "catalogue": services,
        "subnets": ["198.18.0.0/16"],
        "administrators": ["198.18.0.1/32"],
    }


def test_the_lab_has_no_fault(description):
    assert validation.network_faults(description) == []


@pytest.mark.parametrize(
    "login", [None, "admin", {"port": "2222"}, {"port": 0}, {"user": ""}, {"usr": "admin"}]
)
def test_a_login_before_hals_that_is_none_is_named(description, login):
    right = {"logins": {"mac": {}, "qm1": {"user": "admin"}, "ubuai": {"port": 2222}}}
    assert validation.network_faults(description | right) == []
    (fault,) = validation.network_faults(description | {"logins": right["logins"] | {"nas": login}})
    assert fault.startswith(f"hosts.yml: ssh_before of nas is {login!r}; it is such as {{port: 2222, user")


def remove(*path):
    """Return a change that removes a key."""

    def change(description):
        for key in path[:-1]:
            description = description[key]
        del description[path[-1]]

    return change


def put(value, *path):
    """Return a change that sets a key."""

    def change(description):
        for key in path[:-1]:
            description = description[key]
        description[path[-1]] = value

    return change


SERVICES = "group_vars/all/services.yml"
HOSTS = "hosts.yml"
NETWORK = "group_vars/all/network.yml"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put({}, "catalogue"), f"{SERVICES}: the catalogue is empty"),
        (
            put(["qm_servers"], "catalogue", "ollama", "clients"),
            f"{SERVICES}: service ollama is to be watched, and its clients are without monitoring_servers",
        ),
        (
            put("ping", "catalogue", "ollama", "probe"),
            f"{SERVICES}: probe ping of service ollama is unknown; there are http, tcp, tls",
        ),
        (
            remove("catalogue", "prometheus"),
            f"{SERVICES}: there is no service prometheus, which the playbooks need",
        ),
        (
            put(["gateway", "ghost"], "catalogue", "tts", "listener_modes"),
            f"{SERVICES}: service tts names the mode ghost; there are gateway, phantom",
        ),
        (
            put({"ghost": {"port": 1}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: service tts names the mode ghost; there are gateway, phantom",
        ),
        (
            put({"phantom": "off"}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: service tts is 'off' in the mode phantom, which is not a mapping",
        ),
        (
            put({"phantom": {"port": 0}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: port 0 of service tts is not between 1 and 65535",
        ),
        (
            put({"phantom": {"where": {"network_wyoming": "on"}}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: service tts is 'on' where network_wyoming is set, which is not a mapping",
        ),
        (
            put({"phantom": {"where": {"network_wyoming": {"port": 0}}}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: port 0 of service tts is not between 1 and 65535",
        ),
        (
            put({"phantom": {"where": ["network_wyoming"]}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: where of service tts is ['network_wyoming'], which is not a mapping",
        ),
        (
            put({"phantom": {"clients": ["robots"]}}, "catalogue", "tts", "in_mode"),
            f"{SERVICES}: service tts names the group robots, which hosts.yml does not have",
        ),
        (put(["tts"], "catalogue"), f"{SERVICES}: the catalogue is empty"),
        (put("ssh", "catalogue", "tts"), f"{SERVICES}: service tts is not a mapping"),
        (remove("catalogue", "tts", "port"), f"{SERVICES}: service tts has no port"),
        (put(1, "catalogue", "tts", "prot"), f"{SERVICES}: service tts has an unknown key, prot"),
        (
            put("5000", "catalogue", "tts", "port"),
            f"{SERVICES}: port of service tts is '5000', which is not a number",
        ),
        (
            put(True, "catalogue", "tts", "port"),
            f"{SERVICES}: port of service tts is True, which is not a number",
        ),
        (
            put(70000, "catalogue", "tts", "port"),
            f"{SERVICES}: port 70000 of service tts is not between 1 and 65535",
        ),
        (
            put("telnet", "catalogue", "tts", "protocol"),
            f"{SERVICES}: protocol telnet of service tts is unknown; "
            "there are http, https, ssh, tcp, udp, vrrp, websocket, websocket_tls",
        ),
        (
            put("ping", "catalogue", "tts", "check"),
            f"{SERVICES}: check ping of service tts is unknown; "
            "there are ai_server, flow, gateway, haproxy, http, listener, none, ollama, speech, ssh, tls, "
            "tts, vrrp, wyoming",
        ),
        (
            put("ping", "catalogue", "tts", "local_check"),
            f"{SERVICES}: local_check ping of service tts is unknown; "
            "there are ai_server, flow, gateway, haproxy, http, listener, ollama, speech, ssh, tls, tts, "
            "vrrp, wyoming",
        ),
        (
            put([{"group": "clients"}], "catalogue", "tts", "clients"),
            f"{SERVICES}: clients of service tts is [{{'group': 'clients'}}], "
            "which are not all names of groups",
        ),
        (
            put(["printers"], "catalogue", "ssh", "except"),
            f"{SERVICES}: service ssh names the group printers, which hosts.yml does not have",
        ),
        (
            put("all", "catalogue", "ssh", "group"),
            f"{SERVICES}: service ssh would run on pve, which is not one of managed_hosts",
        ),
        (
            put(["clients", "cleints"], "catalogue", "speech", "clients"),
            f"{SERVICES}: service speech names the group cleints, which hosts.yml does not have",
        ),
        (
            put("ai", "catalogue", "speech", "group"),
            f"{SERVICES}: service speech names the group ai, which hosts.yml does not have",
        ),
        (
            remove("catalogue", "speech", "health"),
            f"{SERVICES}: service speech stands behind the proxy and has no health",
        ),
        (
            remove("catalogue", "speech", "proxy", "backend"),
            f"{SERVICES}: service speech stands behind the proxy and has no backend",
        ),
        (
            put(["proxy_https"], "catalogue", "speech", "proxy", "routes"),
            f"{SERVICES}: service speech has the route 'proxy_https', "
            "which is not {service: NAME, path: /PATH}",
        ),
        (
            put([{"service": "proxy_ftp"}], "catalogue", "speech", "proxy", "routes"),
            f"{SERVICES}: service speech is routed through proxy_ftp, which is no proxy service",
        ),
        (
            put(9000, "catalogue", "tts", "port"),
            f"{SERVICES}: port 9000 of ubuai is claimed by speech and by tts",
        ),
        (
            put("198.18.300.1", "addresses", "mac"),
            f"{HOSTS}: the address of mac is '198.18.300.1', which is no IPv4 address",
        ),
        (put(5, "addresses", "mac"), f"{HOSTS}: the address of mac is 5, which is no IPv4 address"),
        (put("", "addresses", "mac"), f"{HOSTS}: the address of mac is '', which is no IPv4 address"),
        (
            put("198.18.34.103", "addresses", "mac"),
            f"{HOSTS}: 198.18.34.103 is the address of mac and of qm1",
        ),
        (
            put("192.0.2.1", "addresses", "mac"),
            f"{HOSTS}: 192.0.2.1 of mac is in none of network_subnets (198.18.0.0/16)",
        ),
        (
            put("198.18.0.0/16", "subnets"),
            f"{NETWORK}: network_subnets is empty: name at least one network, such as 192.0.2.0/24",
        ),
        (
            put([], "administrators"),
            f"{NETWORK}: network_administrator_networks is empty: name at least one network, "
            "such as 192.0.2.0/24",
        ),
        (
            remove("catalogue", "tts"),
            f"{SERVICES}: there is no service tts, which the playbooks need",
        ),
        (
            put("voice_gateway", "catalogue", "proxy_https", "frontend"),
            f"{SERVICES}: the frontend voice_gateway is claimed by proxy_gateway and by proxy_https",
        ),
        (
            put("qm_voice_gateway", "catalogue", "speech", "proxy", "backend"),
            f"{SERVICES}: the backend qm_voice_gateway is claimed by gateway and by speech",
        ),
        (put([], "groups", "proxies"), f"{HOSTS}: the group proxies has no host"),
        (
            put([], "groups", "gateways"),
            f"{HOSTS}: qm1 is in qm_servers and not in gateways, which that group must be a child of",
        ),
        (
            put("198.18.50", "virtual_address"),
            f"{NETWORK}: network_virtual_address is '198.18.50', which is no IPv4 address",
        ),
        (
            put("198.18.50.100", "virtual_address"),
            f"{NETWORK}: network_virtual_address is 198.18.50.100, the address of haproxy: "
            "choose one that nothing has",
        ),
        (
            put("192.0.2.99", "virtual_address"),
            f"{NETWORK}: network_virtual_address 192.0.2.99 is in none of network_subnets (198.18.0.0/16)",
        ),
        (
            put(["haproxy", "mac"], "groups", "proxies"),
            f"{NETWORK}: there are 2 proxies (haproxy, mac) and no network_virtual_address, so clients "
            "would know haproxy alone: choose an address of their subnet that nothing has",
        ),
        (
            put(["nonsense"], "client_networks"),
            f"{NETWORK}: network_client_networks has 'nonsense', which is no network: "
            "Expected 4 octets in 'nonsense'",
        ),
    ],
)
def test_a_fault_is_named_with_its_file(description, change, sentence):
    change(description)
    assert sentence in validation.network_faults(description)


def test_a_host_cannot_have_the_name_of_the_virtual_address(description):
    description["virtual_address"] = "198.18.50.99"
    assert validation.network_faults(description) == []
    description["addresses"]["hal"] = "198.18.60.77"
    assert validation.network_faults(description) == [
        f"{NETWORK}: a host is called hal, which is the name of network_virtual_address"
    ]


def test_a_network_that_is_none_is_named(description):
    description["administrators"] = ["198.18.0.1/33"]
    (fault,) = validation.network_faults(description)
    assert fault.startswith(
        f"{NETWORK}: network_administrator_networks has '198.18.0.1/33', which is no network"
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [("administrators", "network_administrator_networks"), ("trusted", "network_trusted_networks")],
)
@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0", "10.0.0.0/7", "128.0.0.0/1", "8.8.8.8", "2000::/3"])
def test_the_internet_is_neither_trusted_nor_an_administrator(description, key, name, wide):
    description[key] = ["192.168.1.0/24", wide]
    assert (
        f"{NETWORK}: {name} has {wide}, which holds addresses of the internet: name networks of the house, "
        "such as 192.168.1.0/24, or one computer, such as 192.168.1.7/32"
    ) in validation.network_faults(description)


def test_a_mode_may_take_a_key_away(description):
    put({"phantom": {"local_check": None}}, "catalogue", "tts", "in_mode")(description)
    assert validation.network_faults(description) == []


def test_a_house_may_trust_its_own_networks(description):
    description["trusted"] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.1.7", "100.64.0.0/10", "fd00::/8"]
    assert validation.network_faults(description) == []
    description["trusted"] = ["house"]
    (fault,) = validation.network_faults(description)
    assert fault.startswith(f"{NETWORK}: network_trusted_networks has 'house', which is no network")
    description["trusted"] = "10.0.0.0/8"
    assert validation.network_faults(description) == [
        f"{NETWORK}: network_trusted_networks is '10.0.0.0/8', which is no list of networks"
    ]


def test_a_host_that_a_service_leaves_out_has_its_port_free(description):
    description["catalogue"]["ssh_proxy"]["port"] = 22
    assert validation.network_faults(description) == []
    del description["catalogue"]["ssh"]["except"]
    assert validation.network_faults(description) == [
        f"{SERVICES}: port 22 of haproxy is claimed by ssh and by ssh_proxy"
    ]


@pytest.mark.parametrize("part", ["in_mode", "where"])
def test_the_port_by_which_ansible_reaches_hosts_is_always_the_same(description, part):
    put({"phantom": {"port": 2200}}, "catalogue", "ssh", part)(description)
    assert validation.network_faults(description) == [
        f"{SERVICES}: service ssh has another port in a mode or where a variable is set; Ansible asks one"
    ]


def test_without_subnets_no_address_is_blamed(description):
    description["subnets"] = ["198.18.0.5/16"]
    (fault,) = validation.network_faults(description)
    assert fault.startswith(f"{NETWORK}: network_subnets has '198.18.0.5/16', which is no network")


def test_a_malformed_service_is_blamed_alone(description):
    description["catalogue"]["proxy_https"] = 443
    faults = validation.network_faults(description)
    assert f"{SERVICES}: service proxy_https is not a mapping" in faults
    assert f"{SERVICES}: service speech is routed through proxy_https, which is no proxy service" in faults
    assert len(faults) == 5


ODDITIES = [None, 5, 1.5, [[]], [{}], [None], {"a": []}, {"backend": "x", "routes": [5]},
            {"backend": "x", "routes": None}, {"backend": "x", "routes": [{"service": []}]}]  # fmt: skip


@pytest.mark.parametrize("key", sorted(TYPES))
def test_any_value_of_the_wrong_kind_gets_a_sentence(description, key):
    for value in ODDITIES:
        if key == "port" and isinstance(value, int):
            continue
        description["catalogue"]["speech"][key] = value
        faults = validation.network_faults(description)
        assert faults, value
        assert all(fault.startswith(f"{SERVICES}: ") and "speech" in fault for fault in faults)


def test_all_faults_are_named_at_once(description):
    description["addresses"]["mac"] = "nowhere"
    description["catalogue"]["tts"]["port"] = 0
    description["administrators"] = []
    assert len(validation.network_faults(description)) == 3


def test_every_check_that_the_catalogue_may_name_can_be_run():
    assert KINDS.keys() >= validation.CHECKS
