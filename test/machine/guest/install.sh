#!/bin/sh
# install.sh PACKAGE.tgz CONFIGURATION MANAGER: installs nixgate in the guest, as `npm install --global` would lay it out.
#   CONFIGURATION  a folder that becomes /etc/nixgate
#   MANAGER        of the scopes: scope.manager in nixgate.toml
set -eu
package=$1
configuration=$2
manager=$3
modules=/usr/lib/node_modules

rm -rf "$modules/nixgate" "$modules/package" /etc/nixgate
mkdir -p "$modules"
tar --extract --gzip --no-same-owner --file="$package" --directory="$modules"
mv "$modules/package" "$modules/nixgate"
ln -sf "$modules/nixgate/bin/nixgate" /usr/bin/nixgate
[ ! -e /usr/bin/nixgate ] || chmod 755 /usr/bin/nixgate

cp -r "$configuration" /etc/nixgate
sed -i "s/@MANAGER@/$manager/" /etc/nixgate/nixgate.toml
chmod -R u=rwX,go=rX /etc/nixgate "$modules/nixgate"

install -d -m 755 /var/log/nixgate
if [ "$manager" = system ]; then
  ln -sf "$modules/nixgate/bin/nixgate-front" /usr/bin/nixgate-front
  # The image lets sshd start nixgate session, which becomes a front here; what an administrator writes spares that step.
  sed -i 's,exec /usr/bin/nixgate session --team,exec /usr/bin/nixgate-front,' /etc/ssh/sshd_config.d/10-nixgate.conf
  systemctl restart ssh # a reload goes on when systemctl is back
  nixgate render units --output /
  systemctl daemon-reload
  systemctl restart systemd-sysctl.service
  systemctl reload dbus.service
  for team in alpha beta gamma; do systemctl restart "user@$(id -u "nix-$team").service"; done
  systemctl --quiet enable --now nixgate.socket nixgate-alpha.socket nixgate-beta.socket nixgate-gamma.socket nixgate.service
  exit
fi
for team in alpha beta gamma; do
  install -d -m 750 -o "nix-$team" -g "nix-$team" "/var/log/nixgate/$team"
done
# One folder has one owner. gamma is the account that the tests start without a valid team.
install -d -m 750 -o nix-gamma -g nix-gamma /var/log/nixgate/_unassigned
