"""The disk is mounted where the data is, now and at every boot."""

DISK = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_models"
# resize2fs leaves less than a page of memory, although the blocks of a small file system are smaller.
PAGE = 4096


def test_the_disk_is_mounted_with_a_file_system(host):
    mounted = host.mount_point("/var/lib/ollama")
    assert mounted.exists and mounted.filesystem == "ext4"
    assert host.check_output(f"realpath {DISK}") == mounted.device


def test_it_is_mounted_at_every_boot_and_a_boot_without_it_goes_on(host):
    (line,) = [line for line in host.file("/etc/fstab").content_string.splitlines() if DISK in line]
    assert line.split()[1:3] == ["/var/lib/ollama", "ext4"] and "nofail" in line


def test_the_file_system_takes_the_whole_disk(host):
    blocks = host.check_output(f"dumpe2fs -h {DISK} 2>/dev/null | awk '/^Block (count|size)/ {{print $3}}'")
    count, size = map(int, blocks.split())
    left = int(host.check_output(f"blockdev --getsize64 {DISK}")) - count * size
    assert 0 <= left < max(size, PAGE)
