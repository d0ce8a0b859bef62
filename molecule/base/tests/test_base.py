"""What every host has in common, as sshd, sudo, journald and apt themselves say it is."""

import itertools

import pytest

pytestmark = pytest.mark.units("ssh", "systemd-journald")
ADDRESSES = itertools.count(2)


def ssh(options, command="true"):
    """Return the command of a connection from an address of its own: SSH keeps out one that fails often."""
    return (
        f"ssh -b 127.0.0.{next(ADDRESSES)} -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no"
        f" -o UserKnownHostsFile=/dev/null {options} lawr@127.0.0.1 {command}"
    )


def test_ssh_answers_on_its_port_alone_and_lets_nobody_in_by_password(host):
    assert host.socket("tcp://0.0.0.0:2222").is_listening
    assert not host.socket("tcp://0.0.0.0:22").is_listening
    settings = dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines())
    assert settings["port"] == "2222"
    assert [settings[name] for name in ("passwordauthentication", "permitrootlogin")] == ["no", "no"]
    offered = host.run(ssh("-o PreferredAuthentications=none"))
    assert "Permission denied (publickey)" in offered.stderr


def test_ssh_agrees_to_no_algorithm_that_is_broken_or_doubted(host):
    settings = dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines())
    assert "sk-ssh-ed25519@openssh.com" in settings["pubkeyacceptedalgorithms"]
    for option, refusal in (
        ("KexAlgorithms=ecdh-sha2-nistp256", "no matching key exchange method found"),
        ("HostKeyAlgorithms=ecdsa-sha2-nistp256", "no matching host key type found"),
        ("Ciphers=aes128-ctr -o MACs=hmac-sha1,hmac-sha1-etm@openssh.com", "no matching MAC found"),
    ):
        assert refusal in host.run(ssh(f"-v -o {option}")).stderr
    for option in ("KexAlgorithms=curve25519-sha256", "HostKeyAlgorithms=rsa-sha2-512", "MACs=hmac-sha2-256"):
        assert "Permission denied (publickey)" in host.run(ssh(f"-v -o {option}")).stderr


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_lets_the_administrator_in_to_sudo_and_to_forward_nothing(host, kind):
    host.check_output(f"rm -f /tmp/key /tmp/key.pub; ssh-keygen -q -t {kind} -N '' -f /tmp/key")
    keys = host.file("/home/lawr/.ssh/authorized_keys")
    assert (keys.user, keys.mode) == ("lawr", 0o600)
    assert len([line for line in keys.content_string.splitlines() if line.endswith(" test")]) == 1
    assert host.run(ssh("-i /tmp/key")).rc == 255
    host.check_output("cat /tmp/key.pub >> /home/lawr/.ssh/authorized_keys")
    try:
        assert host.check_output(ssh("-i /tmp/key", "sudo -n id -u")) == "0"
        assert "administratively prohibited" in host.run(ssh("-i /tmp/key -W 127.0.0.1:2222", "")).stderr
    finally:
        host.check_output("sed -i '$d' /home/lawr/.ssh/authorized_keys")


def test_the_networks_hosts_are_known_by_name(host):
    for name, address in (("qm1", "198.18.34.103"), ("ubuai", "198.18.10.20"), ("localhost", "127.0.0.1")):
        assert address in host.check_output(f"getent ahosts {name}").split()


def test_the_journal_is_kept_and_bounded(host):
    journal = host.check_output("journalctl --no-pager --header | grep 'File path'")
    assert "/var/log/journal/" in journal
    assert "max 50M" in host.check_output("journalctl --no-pager -u systemd-journald").replace("50.0M", "50M")
    assert host.service("systemd-journald").is_running


def test_updates_come_by_themselves_and_are_fetched_for_the_cache(host):
    settings = host.check_output("apt-config dump APT::Periodic")
    for name in ("Update-Package-Lists", "Download-Upgradeable-Packages", "Unattended-Upgrade"):
        assert f'APT::Periodic::{name} "1";' in settings
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert host.service(timer).is_enabled and host.service(timer).is_running
        assert host.check_output(f"systemctl show --value --property=NextElapseUSecRealtime {timer}")
    assert host.package("unattended-upgrades").is_installed
    tried = host.run("unattended-upgrade --dry-run --verbose")
    assert tried.rc == 0 and "Allowed origins are" in tried.stdout + tried.stderr, tried.stdout + tried.stderr


PACKAGE = """
set -e
cd "$(mktemp --directory)"
mkdir --parents asks/DEBIAN asks/etc
echo /etc/asks.conf > asks/DEBIAN/conffiles
echo {version} > asks/etc/asks.conf
cat > asks/DEBIAN/control << END
Package: asks
Version: {version}
Architecture: all
Maintainer: test
Description: has a file of settings
END
dpkg-deb --build asks asks.deb
apt-get install --yes ./asks.deb < /dev/null
"""


def test_an_update_keeps_what_a_role_has_written_and_asks_nobody(host):
    try:
        host.check_output(PACKAGE.format(version=1))
        host.check_output("echo written > /etc/asks.conf")
        host.check_output(PACKAGE.format(version=2))
        assert host.package("asks").version == "2"
        assert host.file("/etc/asks.conf").content_string == "written\n"
    finally:
        host.check_output("dpkg --purge asks")


def test_services_with_replaced_libraries_are_restarted_unasked(host):
    program = (
        "our %nrconf; do q(/etc/needrestart/needrestart.conf);"
        " print join q(,), @nrconf{qw(restart kernelhints ucodehints)}"
    )
    assert host.check_output("perl -e %s", program) == "a,-1,0"


def test_the_clock_shows_the_households_time(host):
    assert host.check_output("date --date=@1774749600 +%H:%M%z") == "04:00+0200"  # an hour after the change
    assert host.check_output("timedatectl show --property=Timezone --value") == "Europe/Berlin"


def test_apt_goes_its_usual_way_while_the_cache_does_not_answer(host):
    said = host.run("/usr/local/sbin/hal-apt-proxy http://127.0.0.1/debian/dists/stable/InRelease")
    assert (said.rc, said.stdout) == (0, "")
    assert "is not used" in said.stderr
    updated = host.run("apt-get update --error-on=any")
    assert updated.rc == 0, updated.stdout + updated.stderr


def test_apt_takes_packages_from_the_cache_once_it_answers(host):
    host.check_output(
        "mkdir -p /srv/packages/http:/archive.test/debian"
    )  # a proxy is asked for whole addresses
    server = "python3 -m http.server --bind 127.0.0.1 --directory /srv/packages 3142"
    host.check_output(f"systemd-run --quiet --unit packages {server}")
    asked = "/usr/local/sbin/hal-apt-proxy http://archive.test/debian/"
    try:
        said = host.check_output(f"for i in $(seq 100); do {asked} | grep . && break; sleep 0.1; done")
    finally:
        host.check_output("systemctl stop packages")
    assert said == "http://127.0.0.1:3142"


@pytest.mark.parametrize(
    ("user", "shell"), [("lawr", "/bin/bash"), ("anna", "/bin/dash"), ("ben", "/bin/bash")]
)
def test_an_administrator_has_the_shell_of_before_if_there_was_any(host, user, shell):
    assert host.user(user).shell == shell
    assert "sudo" in host.user(user).groups


def settings_of(host, command):
    """Return the settings that a command prints, by name."""
    lines = (line.strip() for line in host.check_output(command).splitlines())
    found = (line.replace(" = ", "=").split("=", 1) for line in lines if "=" in line and line[0] not in "#;")
    return {name.strip().lstrip("-"): value.strip() for name, value in found}


def test_the_kernel_is_given_settings_that_it_has(host):
    """In a container it is that of the machine outside, which nothing in there may set."""
    asked = settings_of(host, "systemd-analyze cat-config sysctl.d/60-hal.conf")
    assert asked["kernel.kptr_restrict"] == "2" and asked["fs.protected_regular"] == "2"
    assert asked["net.ipv4.conf.all.accept_redirects"] == asked["net.ipv4.conf.all.send_redirects"] == "0"
    assert not [
        name for name in asked if "forward" in name or "rp_filter" in name
    ]  # a household's own affair
    for name in set(asked) - {"kernel.yama.ptrace_scope"}:  # a module, which not every kernel has
        assert host.file(f"/proc/sys/{name.replace('.', '/')}").exists, name
    assert host.run("/usr/lib/systemd/systemd-sysctl /etc/sysctl.d/60-hal.conf").rc == 0


def test_no_memory_of_a_program_that_crashed_is_written_to_the_disk(host):
    asked = settings_of(host, "systemd-analyze cat-config systemd/coredump.conf")
    assert (asked["Storage"], asked["ProcessSizeMax"]) == ("none", "0")
    assert host.check_output("runuser --login anna --command 'ulimit -H -c'") == "0"


def test_protocols_that_nobody_speaks_are_not_loaded(host):
    loaded = host.file("/etc/modprobe.d/hal.conf").content_string
    for protocol in ("dccp", "rds", "sctp", "tipc"):
        assert f"install {protocol} /bin/false\n" in loaded


def test_ssh_says_who_came_and_lets_go_of_who_does_not_answer(host):
    settings = dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines())
    assert [settings[name] for name in ("loglevel", "tcpkeepalive")] == ["VERBOSE", "no"]
    assert [settings[name] for name in ("clientaliveinterval", "clientalivecountmax")] == ["300", "2"]


def test_who_stands_before_a_screen_reads_whose_the_host_is(host):
    assert host.file("/etc/issue").content_string.startswith("This is a private system of a household.")
