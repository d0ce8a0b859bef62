#!/bin/sh
# The household's proxy, by somebody's hand: HAProxy with its certificates, and a firewall.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install haproxy ufw > /dev/null
install -d /etc/ssl/household
mv /root/household/wildcard.pem /root/household/photos.pem /etc/ssl/household
mv /root/household/ca.pem /etc/ssl/household-ca.pem
mv /root/household/haproxy.cfg /etc/haproxy/haproxy.cfg
haproxy -c -f /etc/haproxy/haproxy.cfg
systemctl restart haproxy
ufw allow 22/tcp
for port in 80 443 8443; do ufw allow "$port/tcp"; done
ufw allow from 198.18.0.0/16 to any port 8404 proto tcp comment statistics
ufw allow from 198.18.0.0/16 to any port 6600 proto tcp
ufw allow 51820/udp comment 'a tunnel that comes and goes'
ufw --force enable
