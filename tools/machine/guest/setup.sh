#!/bin/sh
# setup.sh ROOTFS KEYS: turns a fresh Debian tree into the test guest. Runs once for an image, on the tree from outside.
#   KEYS  a folder with id, id.pub (the client's key) and host, host.pub (the server's)
set -eu
rootfs=$1
keys=$2

echo guest >"$rootfs/etc/hostname"
printf '127.0.0.1 localhost guest\n' >"$rootfs/etc/hosts"
: >"$rootfs/etc/resolv.conf"
: >"$rootfs/etc/fstab"
# A fixed id: with an empty one systemd takes every boot for the first and applies all presets (machine-id(5)).
tr -d - </proc/sys/kernel/random/uuid >"$rootfs/etc/machine-id"

chroot "$rootfs" passwd -q -d root
install -d -m 700 "$rootfs/root/.ssh"
install -m 600 "$keys/id" "$rootfs/root/.ssh/id_ed25519"
install -m 644 "$keys/id.pub" "$rootfs/root/.ssh/id_ed25519.pub"
install -m 600 "$keys/id.pub" "$rootfs/root/.ssh/authorized_keys"
printf 'localhost,127.0.0.1,192.0.2.2 %s\n' "$(cut -d' ' -f1,2 "$keys/host.pub")" >"$rootfs/root/.ssh/known_hosts"

install -d "$rootfs/var/lib/systemd/linger"
uid=1001
for team in alpha beta gamma; do
  account=nix-$team
  home=$rootfs/home/$account
  chroot "$rootfs" useradd --create-home --uid "$uid" --user-group --shell /bin/bash "$account"
  # '*' is no password; the '!' of a new account would also lock it for keys (sshd(8), LOCKED ACCOUNTS).
  chroot "$rootfs" usermod --password '*' "$account"
  # Debian's daemon socket belongs to this group from trixie on.
  if chroot "$rootfs" getent group nix-users >/dev/null; then chroot "$rootfs" usermod -aG nix-users "$account"; fi
  install -d -m 700 -o "$uid" -g "$uid" "$home/.ssh"
  install -m 600 -o "$uid" -g "$uid" "$keys/id.pub" "$home/.ssh/authorized_keys"
  : >"$rootfs/var/lib/systemd/linger/$account"
  uid=$((uid + 1))
done

rm -f "$rootfs"/etc/ssh/ssh_host_*
install -m 600 "$keys/host" "$rootfs/etc/ssh/ssh_host_ed25519_key"
install -m 644 "$keys/host.pub" "$rootfs/etc/ssh/ssh_host_ed25519_key.pub"
sed -i '/pam_motd/d;/pam_mail/d' "$rootfs/etc/pam.d/sshd"

systemctl -q --root="$rootfs" enable guest-network.service ssh.service nix-daemon.socket
# Tests start cron and at where they need them.
systemctl -q --root="$rootfs" disable nix-daemon.service cron.service atd.service 2>/dev/null || true

# What a guest without devices and without a past has no use for. udev alone costs 4 seconds of a boot.
while read -r unit; do
  ln -sf /dev/null "$rootfs/etc/systemd/system/$unit"
done <<UNITS
apt-daily.timer
apt-daily-upgrade.timer
console-getty.service
dev-hugepages.mount
dpkg-db-backup.timer
e2scrub_all.timer
e2scrub_reap.service
fstrim.timer
getty-static.service
getty@tty1.service
ldconfig.service
modprobe@.service
modprobe@drm.service
proc-sys-fs-binfmt_misc.automount
serial-getty@hvc0.service
serial-getty@ttyS0.service
sshd-keygen.service
sys-fs-fuse-connections.mount
sys-kernel-config.mount
sys-kernel-debug.mount
sys-kernel-tracing.mount
systemd-binfmt.service
systemd-hwdb-update.service
systemd-journal-catalog-update.service
systemd-journal-flush.service
systemd-machine-id-commit.service
systemd-modules-load.service
systemd-networkd-wait-online.service
systemd-networkd.service
systemd-pcrmachine.service
systemd-pstore.service
systemd-random-seed.service
systemd-sysusers.service
systemd-timesyncd.service
systemd-tmpfiles-clean.timer
systemd-tpm2-setup-early.service
systemd-tpm2-setup.service
systemd-udev-load-credentials.service
systemd-udev-settle.service
systemd-udev-trigger.service
systemd-udevd-control.socket
systemd-udevd-kernel.socket
systemd-udevd-varlink.socket
systemd-udevd.service
systemd-update-done.service
UNITS

rm -rf "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/var/log/* "$rootfs"/etc/apt/sources.list.d/* "$rootfs"/etc/apt/sources.list
