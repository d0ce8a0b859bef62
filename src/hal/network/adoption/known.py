"""What a Linux host has that no person brought: the distribution's own units and programs, and HAL's."""

from __future__ import annotations

import re

# Of Debian and Ubuntu, as a server or a cloud image has them.
BASE_NAMES = """
    systemd-.* dbus.* user@ getty@ serial-getty@ console-.* keyboard-setup remote-fs networking ifupdown.*
    netplan.* NetworkManager.* networkd-dispatcher wpa_supplicant ssh sshd.* cloud-.* qemu-guest-agent
    open-vm-tools vgauth apt-.* dpkg-.* unattended-upgrades update-notifier.* packagekit.* snapd.* ua-.*
    ubuntu-.* esm-.* apparmor auditd ufw e2scrub.* fstrim xfs_scrub.* mdcheck.* mdmonitor.* lvm2-.* blk-
    availability multipathd? dm-event iscsid? open-iscsi smartmontools udisks2 uuidd grub-.* secureboot-db
    finalrd kexec.* kdump.* rsyslog syslog logrotate man-db motd-news cron anacron atd chrony.* polkit.*
    accounts-daemon apport.* whoopsie kerneloops pollinate lxd-agent.* lxd-installer ModemManager thermald
    irqbalance sysstat.* rpcbind nfs-client nvidia-.* proc-sys-.* hibinit-agent acpid fwupd.* plymouth.*
    rc-local screen-cleanup sudo x11-common procps kmod hwclock.* resolvconf.*
"""
KINDS = r"\.(service|socket|timer|path)"
BASE_UNITS = re.compile(rf"({'|'.join(BASE_NAMES.split())})(@[^.]*)?{KINDS}")
OWN_UNITS = re.compile(rf"hal-.*{KINDS}")  # beside those that the catalogue names
BASE_PROGRAMS = {
    "sshd", "systemd", "systemd-resolve", "systemd-network", "systemd-timesyn", "chronyd", "the kernel",
}  # fmt: skip
# Each makes rules of its own in the kernel, which ufw's would stand beside.
FIREWALLS = ("firewalld.service", "nftables.service", "netfilter-persistent.service", "shorewall.service")
