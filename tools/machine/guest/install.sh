#!/bin/sh
# install.sh FOLDER MANAGER: installs nixgate in the guest, by the commands and blocks of docs/.
#   FOLDER   usr-local   /usr/local as `npm install --global` has laid it out
#            etc/nixgate the configuration
#            sshd-block  the block of docs/getting-started.md with ForceCommand
#            system.sh   the commands of docs/supervisor.md for manager = "system"
#   MANAGER  of the scopes: scope.manager in nixgate.toml
set -eu
folder=$1
manager=$2

rm -rf /usr/local/lib/node_modules/nixgate /etc/nixgate
cp -r --no-preserve=ownership "$folder/usr-local/." /usr/local
cp -r --no-preserve=ownership "$folder/etc/nixgate" /etc/nixgate
sed -i "s/@MANAGER@/$manager/" /etc/nixgate/nixgate.toml
chmod -R u=rwX,go=rX /etc/nixgate /usr/local/lib/node_modules /usr/local/bin
chmod g-w /usr/local /usr/local/lib /usr/local/bin # Debian's are root:staff 2775 in some images

# The image's own lines must come before its first Match block.
block=$(cat "$folder/sshd-block")
if [ "$manager" = system ]; then
  block=$(printf '%s\n' "$block" | sed 's,nixgate session --team ,nixgate-shim ,')
fi
sshd=/etc/ssh/sshd_config.d/10-nixgate.conf
sed -i '/^Match/,$d' "$sshd"
for team in alpha beta gamma; do printf '%s\n\n' "$block" | sed "s/alpha/$team/"; done >>"$sshd"
systemctl restart ssh # restart, because a reload is still under way when systemctl returns

install -d -m 755 /var/log/nixgate
if [ "$manager" = system ]; then
  # docs/getting-started.md sets this shell at the start. The image's accounts have the shell that useradd gives a person.
  for team in alpha beta gamma; do usermod --shell /bin/sh "nix-$team"; done
  sed -i '/^nix-/d' /etc/subuid /etc/subgid
  sh -eu "$folder/system.sh"
  exit
fi
for team in alpha beta gamma; do
  install -d -m 750 -o "nix-$team" -g "nix-$team" "/var/log/nixgate/$team"
done
# A folder has one owner. The tests start gamma's sessions without a valid team.
install -d -m 750 -o nix-gamma -g nix-gamma /var/log/nixgate/_unassigned
