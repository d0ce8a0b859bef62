"""The seed of a guest, as PVE::QemuServer::Cloudinit writes it."""

import hashlib

import pytest
import yaml
from lab.cloud_init import seed

GUEST = {
    "name": "ubuai",
    "ciuser": "hal",
    "sshkeys": "ssh-ed25519%20AAAA%20one%40home%0A%0Assh-ed25519%20BBBB%2B%20two%0A",
    "net0": "virtio=BC:24:11:00:00:10,bridge=vmbr0",
    "ipconfig0": "ip=198.18.50.10/24,gw=198.18.50.1",
    "nameserver": "198.18.50.1 198.18.50.2",
    "searchdomain": "hal.internal",
}


def test_the_files_are_those_that_proxmox_writes():
    files = seed(GUEST, 110)
    assert (
        files["user-data"]
        == """\
#cloud-config
hostname: ubuai
manage_etc_hosts: true
fqdn: ubuai.hal.internal
user: hal
ssh_authorized_keys:
  - ssh-ed25519 AAAA one@home
  - ssh-ed25519 BBBB+ two
chpasswd:
  expire: False
users:
  - default
package_upgrade: true
"""
    )
    assert (
        files["network-config"]
        == """\
version: 1
config:
    - type: physical
      name: eth0
      mac_address: 'bc:24:11:00:00:10'
      subnets:
      - type: static
        address: '198.18.50.10'
        netmask: '255.255.255.0'
        gateway: '198.18.50.1'
    - type: nameserver
      address:
      - '198.18.50.1'
      - '198.18.50.2'
      search:
      - 'hal.internal'
"""
    )
    instance = hashlib.sha1((files["user-data"] + files["network-config"]).encode()).hexdigest()
    assert files["meta-data"] == f"instance-id: {instance}\n"
    assert files["vendor-data"] == ""


@pytest.mark.parametrize("change", [{"sshkeys": "ssh-ed25519%20CCCC"}, {"nameserver": "198.18.50.3"}])
def test_another_key_or_name_server_is_another_instance_and_nothing_else_is(change):
    assert seed(GUEST, 110) == seed(GUEST | {"memory": 4096}, 111)
    assert seed(GUEST | change, 110)["meta-data"] != seed(GUEST, 110)["meta-data"]


def user_data(**config):
    return yaml.safe_load(seed(config, 110)["user-data"])


def test_a_guest_without_a_configuration_still_has_a_name_and_the_images_own_user():
    assert user_data() == {
        "hostname": "VM110",
        "manage_etc_hosts": True,
        "fqdn": "VM110",
        "chpasswd": {"expire": False},
        "users": ["default"],
        "package_upgrade": True,
    }


def test_a_name_with_a_domain_keeps_it_whatever_the_search_domain_is():
    data = user_data(name="qm1.home.arpa", searchdomain="hal.internal")
    assert (data["hostname"], data["fqdn"]) == ("qm1", "qm1.home.arpa")


def test_root_is_let_in_and_no_other_user_is_made_then():
    data = user_data(ciuser="root", cipassword="$5$hash")
    assert data["disable_root"] is False and "users" not in data
    assert data["password"] == "$5$hash"


@pytest.mark.parametrize("off", [0, "0", False])
def test_the_upgrade_is_left_out_only_where_the_guest_says_so(off):
    assert "package_upgrade" not in user_data(ciupgrade=off)
    assert user_data(ciupgrade=1)["package_upgrade"] is True


def network(*, nameservers=(), search=(), **config):
    return yaml.safe_load(seed(config, 110, nameservers, search)["network-config"])["config"]


NET = {"net0": "virtio=BC:24:11:00:00:10,bridge=vmbr0"}


@pytest.mark.parametrize(
    ("addresses", "subnets"),
    [
        ("ip=dhcp", [{"type": "dhcp4"}]),
        ("ip=dhcp,ip6=auto", [{"type": "dhcp4"}, {"type": "ipv6_slaac"}]),
        ("ip6=dhcp", [{"type": "dhcp6"}]),
        (
            "ip6=2001:db8::2/64,gw6=2001:db8::1",
            [{"type": "static6", "address": "2001:db8::2/64", "gateway": "2001:db8::1"}],
        ),
        ("ip=198.18.1.2/16", [{"type": "static", "address": "198.18.1.2", "netmask": "255.255.0.0"}]),
    ],
)
def test_an_interface_has_the_addresses_of_its_configuration(addresses, subnets):
    assert network(**NET, ipconfig0=addresses)[0]["subnets"] == subnets


def test_interfaces_are_named_for_their_number_and_only_those_with_a_configuration():
    interfaces = network(
        **NET, net1="model=e1000,macaddr=BC:24:11:00:00:11", net2="virtio=BC:24:11:00:00:12",
        ipconfig1="ip=dhcp", ipconfig2="ip=dhcp",
    )  # fmt: skip
    assert [(one["name"], one["mac_address"]) for one in interfaces if one["type"] == "physical"] == [
        ("eth1", "bc:24:11:00:00:11"),
        ("eth2", "bc:24:11:00:00:12"),
    ]


def test_an_interface_without_a_mac_address_is_refused_by_name():
    with pytest.raises(ValueError, match="'net0' has no mac address"):
        network(net0="model=virtio,bridge=vmbr0", ipconfig0="ip=dhcp")


@pytest.mark.parametrize("addresses", ["gw=198.18.0.1", "ip=dhcp,gw=198.18.0.1", "ip6=auto,gw6=2001:db8::1"])
def test_a_gateway_without_an_address_is_refused_as_proxmox_refuses_it(addresses):
    with pytest.raises(ValueError, match="a gateway needs an address"):
        network(**NET, ipconfig0=addresses)


def test_the_hosts_own_name_servers_and_domains_serve_a_guest_that_names_none():
    assert network(nameservers=["198.18.0.53"], search=["home.arpa"]) == [
        {"type": "nameserver", "address": ["198.18.0.53"], "search": ["home.arpa"]}
    ]
    named = network(nameservers=["198.18.0.53"], search=["home.arpa"], nameserver="198.18.0.54")
    assert named == [{"type": "nameserver", "address": ["198.18.0.54"], "search": ["home.arpa"]}]
