#!/usr/bin/env bash
# Build a disk like that of Debian's genericcloud image from this machine's own package mirror: 3 GiB, GPT, the root
# file system in the first partition, GRUB for a BIOS in the fourteenth, one for EFI in the fifteenth.
# Usage: build.sh SOURCES PROXY IMAGE
#   SOURCES  the apt sources file that registry.py wrote; an empty one stands for mmdebstrap's default
#   PROXY    where the machine has its packages from, such as http://192.0.2.1:3128
#   IMAGE    the disk to write, ending in .qcow2; beside it, ending in .sources, comes where its packages are from
set -euo pipefail
sources=$1 proxy=$2 image=$3
here=$(cd "$(dirname "$0")" && pwd)
packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
mirror=()
[ ! -s "$sources" ] || mirror=("$sources")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
uuid() { cat /proc/sys/kernel/random/uuid; }
file_system=$(uuid) root_partition=$(uuid) efi_partition=$(uuid)

mmdebstrap --variant=minbase --include="$packages" --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
  trixie "$root" "${mirror[@]}"

# The packages come through a proxy that speaks no TLS to the machine; the rest is as in the public image.
echo "Acquire::http::Proxy \"$proxy\";" >"$root/etc/apt/apt.conf.d/90controller"
find "$root"/etc/apt/sources.list* -type f -exec cat {} + >"${image%.qcow2}.sources"
find "$root"/etc/apt/sources.list* -type f -exec sed -i 's,https://,http://,' {} +
cat >"$root/etc/fstab" <<END
PARTUUID=$root_partition / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1
PARTUUID=$efi_partition /boot/efi vfat defaults,umask=077 0 2
END
echo 'do_symlinks = no' >"$root/etc/kernel-img.conf"
echo 'GRUB_TIMEOUT=0' >"$root/etc/default/grub.d/15_timeout.cfg"
printf '%s\n' GRUB_DISABLE_LINUX_UUID=true GRUB_DISABLE_LINUX_PARTUUID= >"$root/etc/default/grub.d/10_cloud.cfg"
sed -i 's/^#PasswordAuthentication yes/PasswordAuthentication no/' "$root/etc/ssh/sshd_config"
mkdir -p "$root/boot/efi" "$root/boot/grub"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
: >"$root/etc/hostname"

# The boot loader: GRUB's own programs want a disk that the kernel knows, so its parts are put where they belong here.
# `update-grub` in the machine, after an upgrade of the kernel, replaces this configuration.
kernel=$(basename "$root"/boot/vmlinuz-*)
cat >"$root/boot/grub/grub.cfg" <<END
search --no-floppy --fs-uuid --set=root $file_system
linux /boot/$kernel root=PARTUUID=$root_partition ro console=tty0 console=ttyS0,115200 consoleblank=0
initrd /boot/${kernel/vmlinuz/initrd.img}
boot
END
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub/"
chroot "$root" grub-mkimage -O i386-pc -p '(hd0,gpt1)/boot/grub' -o /tmp/core.img biosdisk part_gpt ext2
mv "$root/tmp/core.img" "$work/"

# Partitions, sizes in sectors of 512 bytes; the first is the last on the disk, so that it can be grown.
truncate -s 3G "$root/tmp/disk"
chroot "$root" sfdisk --quiet /tmp/disk <<END
label: gpt
unit: sectors
p14: start=2048, size=6144, type="BIOS boot"
p15: start=8192, size=253952, type="EFI System", uuid=$efi_partition
p1: start=262144, type="Linux root (x86-64)", uuid=$root_partition
END
mv "$root/tmp/disk" "$work/"
truncate -s $((253952 * 512)) "$root/tmp/efi"
chroot "$root" mkfs.vfat /tmp/efi >/dev/null
mv "$root/tmp/efi" "$work/"
cd "$work"
dd if=efi of=disk seek=8192 conv=notrunc,sparse status=none
# The last MiB is left for the second copy of the table of partitions.
mke2fs -q -t ext4 -U "$file_system" -d root -E offset=$((262144 * 512)) disk $((3 * 1024 - 128 - 1))m
# boot.img stands in the first sector, before the table of partitions, and finds the core at a sector that is written
# at byte 92; the core stands in the fourteenth partition, and finds its second sector likewise at byte 500.
dd if=root/usr/lib/grub/i386-pc/boot.img of=disk bs=440 count=1 conv=notrunc status=none
dd if=core.img of=disk seek=2048 conv=notrunc status=none
printf '\x00\x08' | dd of=disk bs=1 seek=92 conv=notrunc status=none
printf '\x01\x08' | dd of=disk bs=1 seek=$((2048 * 512 + 500)) conv=notrunc status=none
qemu-img convert -O qcow2 disk "$image.part"
mv "$image.part" "$image"
