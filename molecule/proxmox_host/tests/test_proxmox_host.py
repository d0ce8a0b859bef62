"""The files of the host, and what Proxmox's own tools were told."""

import json


def told(host):
    return host.file("/var/log/proxmox-tools").content_string.splitlines()


def test_the_gpu_is_left_to_its_guest(host):
    assert "ids=10de:2684,10de:22ba" in host.file("/etc/modprobe.d/hal-vfio.conf").content_string
    assert "vfio_pci" in host.file("/etc/modules-load.d/hal-vfio.conf").content_string
    assert "iommu=pt" in host.check_output(
        ". /etc/default/grub.d/hal-iommu.cfg; echo $GRUB_CMDLINE_LINUX_DEFAULT"
    )


def test_the_boot_files_are_made_anew_once(host):
    assert told(host).count("update-grub") == 1
    assert told(host).count("update-initramfs -u -k all") == 1


def test_the_cloud_image_is_a_template(host):
    conf = host.file("/etc/pve/qemu-server/9000.conf").content_string
    assert "scsi0: local-lvm:0,import-from=/var/lib/vz/template/debian-13-cloud.qcow2,discard=on" in conf
    assert "ide2: local-lvm:cloudinit" in conf
    assert conf.count("template: 1") == 1


def test_the_machines_are_backed_up(host):
    job = json.loads(host.file("/etc/pve/jobs.json").content_string)["hal"]
    assert (job["schedule"], job["storage"], job["vmid"]) == ("sun 02:30", "copies", "100,103")
    assert job["prune-backups"] == "keep-last=3,keep-monthly=3"


def test_only_administrators_come_in(host):
    rules = host.file("/etc/pve/firewall/cluster.fw").content_string
    assert "policy_in: DROP" in rules
    assert "\n192.0.2.0/24\n" in rules
    for port in (22, 8006):
        assert f"IN ACCEPT -source +hal-administrators -p tcp -dport {port} " in rules


def test_the_timer_that_undoes_the_firewall_is_disarmed(host):
    assert "hal-firewall-revert" not in host.check_output("systemctl list-timers --all --no-legend")
