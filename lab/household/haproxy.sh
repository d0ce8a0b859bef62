#!/bin/sh
# The household's proxy, by somebody's hand: HAProxy with its certificates, a firewall, and backups with restic.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install cron haproxy restic ufw > /dev/null
install -d /etc/ssl/household
mv /root/household/wildcard.pem /root/household/photos.pem /etc/ssl/household
mv /root/household/ca.pem /etc/ssl/household-ca.pem
mv /root/household/haproxy.cfg /etc/haproxy/haproxy.cfg
haproxy -c -f /etc/haproxy/haproxy.cfg
systemctl restart haproxy

(umask 077 && echo geheim > /root/restic-password)
restic init --quiet --repo /srv/restic --password-file /root/restic-password
restic backup --quiet --repo /srv/restic --password-file /root/restic-password /etc/haproxy
# An older one that somebody fetched, and that is found first: it knows nothing of what HAL asks for.
printf '#!/bin/sh\necho "restic 0.9.6: unknown flag" >&2\nexit 1\n' > /usr/local/bin/restic
chmod 755 /usr/local/bin/restic
echo '23 3 * * * root /usr/bin/restic backup --quiet --repo /srv/restic --password-file /root/restic-password /etc/haproxy' \
  > /etc/cron.d/restic

ufw allow 22/tcp
for port in 80 443 8443; do ufw allow "$port/tcp"; done
ufw allow from 198.18.0.0/16 to any port 8404 proto tcp comment statistics
ufw allow from 198.18.0.0/16 to any port 6600 proto tcp
ufw allow 51820/udp comment 'a tunnel that comes and goes'
ufw --force enable
