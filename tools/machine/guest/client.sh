#!/bin/sh
# client.sh TREE LAYER COMMAND…: runs a command inside a suite's tree, in mount and pid namespaces of its own.
#   LAYER  a folder for the files that the command writes: the tree itself does not change
# root's key in the tree, made for the guest's connections to itself, also gives access to the guest.
# The tree becomes the root of the namespace, not a chroot: Nix returns to its namespace's root before it starts ssh.
set -eu
tree=$1
layer=$2
shift 2

mkdir -p "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
cd "$layer/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs tmp
mkdir -p .old
pivot_root . .old
umount -l /.old
exec env -i HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
