#!/bin/sh
# A computer for language models, by somebody's hand: Ollama as its own script leaves it, a page, a firewall, and a clock of
# its own choice. Its user has a shell that HAL would not have given him.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install chrony nginx-light prometheus-node-exporter ufw zstd > /dev/null

# A container has no clock of its own to set: chrony only looks.
sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-F 1 -x"/' /etc/default/chrony
install -d /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' > /etc/systemd/system/chrony.service.d/container.conf
systemctl daemon-reload
systemctl restart chrony

cd /root/household
tar --extract --zstd --file ollama.tar.zst --directory /usr/local
useradd -r -s /bin/false -U -m -d /usr/share/ollama ollama
usermod -a -G ollama --shell /bin/dash lawr
cat > /etc/systemd/system/ollama.service << 'END'
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

[Install]
WantedBy=default.target
END
# Where the model comes from: a server that ends when it has been pulled.
python3 -m http.server --bind 127.0.0.1 8099 > /dev/null 2>&1 &
library=$!
mkdir -p /run/systemd/system/ollama.service.d
printf '[Service]\nEnvironment=LAB_MODEL_LIBRARY=http://127.0.0.1:8099/\n' > /run/systemd/system/ollama.service.d/library.conf
systemctl daemon-reload
systemctl enable --now ollama
timeout 60 sh -c 'until ollama list > /dev/null 2>&1; do sleep 0.2; done'
ollama pull smollm2:135m > /dev/null
kill $library
rm -r /run/systemd/system/ollama.service.d
systemctl daemon-reload
systemctl restart ollama

sed -i 's/listen 80 default_server/listen 3000 default_server/; s/listen \[::\]:80 default_server/listen [::]:3000 default_server/' \
  /etc/nginx/sites-available/default
echo "the household's page" > /var/www/html/index.html
systemctl restart nginx
echo '17 4 * * * root /usr/bin/find /var/tmp -name "*.household" -mtime +30 -delete' > /etc/cron.d/household
ufw allow 22/tcp
ufw allow from 198.18.0.0/15 to any port 11434 proto tcp
ufw allow from 198.18.60.0/24 to any port 3000 proto tcp
ufw --force enable
