#!/bin/sh
# What the household's proxy leads to, by somebody's hand: a program with a unit of its own.
set -eu
install -d /srv/sites
mv /root/household/back_ends.py /root/household/*.pem /srv/sites
cat > /etc/systemd/system/sites.service << 'END'
[Unit]
Description=The household's sites
After=network-online.target

[Service]
ExecStart=/usr/bin/python3 /srv/sites/back_ends.py 0.0.0.0 \
  renew=3001 cloud=3002=/srv/sites/cloud.pem shop=3003 shop_api=3004 shop_api_two=3005 apps=3006 \
  homeassistant=3007 photos=3008=/srv/sites/photos.lan.pem admin=3009 landing=3010 \
  mail=3011=/srv/sites/mail.pem vault=3012=/srv/sites/vault.pem music=3013
Restart=always

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now sites
