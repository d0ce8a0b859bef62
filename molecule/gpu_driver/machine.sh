#!/bin/sh
# Makes a container look like a machine with an RTX 4090 that nobody drives yet. apt, the choice and nvidia-detect are real;
# the driver's packages are empty ones under Debian's names, so that no kernel module is built.
set -eu
here=/srv/gpu kernel=$(uname -r)
mkdir -p $here/module $here/firmware/efi/efivars $here/repo /etc/modprobe.d
mount --bind $here/module /sys/module
mount --bind $here/firmware /sys/firmware

tool() {
    printf '#!/bin/sh\n%s\n' "$2" > "$1"
    chmod 755 "$1"
}
tool /usr/local/bin/systemd-detect-virt 'exit 1'
tool /usr/local/bin/lspci "if [ -e /sys/module/nvidia ]; then driver=nvidia; else driver=; fi
sed \"s/^Driver:.*nouveau/Driver: \$driver/\" /srv/ada_nouveau.lspci"
tool /usr/local/bin/modinfo 'cat "$3"'
tool /usr/local/bin/modprobe "mkdir -p $here/module/nvidia && cat /lib/modules/$kernel/updates/dkms/*.ko > $here/module/nvidia/version"

package() { # name, version, file that it brings
    [ -z "$3" ] || install -D -m 755 $here/content "$here/$1$3"
    mkdir -p "$here/$1/DEBIAN"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: HAL\nDescription: stand-in\n' "$1" "$2" > "$here/$1/DEBIAN/control"
    dpkg-deb --build "$here/$1" "$here/repo/$1.deb" > /dev/null
    cat "$here/$1/DEBIAN/control"
    printf 'Filename: ./%s.deb\nSize: %s\nSHA256: %s\n\n' "$1" "$(stat -c %s "$here/repo/$1.deb")" "$(sha256sum < "$here/repo/$1.deb" | cut -c -64)"
}
{
    for driver in 550.999/nvidia/libcuda1 535.999/nvidia-tesla-535/libnvidia-tesla-535-cuda1; do
        version=${driver%%/*} cuda=${driver##*/} name=${driver%/*} name=${name#*/}
        echo "$version" > $here/content
        package "$name-kernel-dkms" "$version" "/lib/modules/$kernel/updates/dkms/$name-current.ko"
        tool $here/content "echo \"\$@\" >> /var/log/nvidia-smi; case \$1 in --query-gpu*) sed s/580.95.05/$version/ /srv/nvidia-smi.csv;; esac"
        package "$name-smi" "$version" /usr/bin/nvidia-smi
        for library in "$cuda" "lib$name-ml1" "lib$name-cfg1"; do package "$library" "$version" ""; done
    done
    package nvidia-persistenced 550.999 ""
    package "linux-headers-$kernel" 1 ""
} > $here/repo/Packages
echo "deb [trusted=yes] file:$here/repo ./" > /etc/apt/sources.list.d/stand-in.list
