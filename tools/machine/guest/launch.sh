#!/bin/sh
# launch.sh AGAIN KERNEL ARGUMENT…: the first process of a guest's namespaces. It sets up the network interface and runs
# the kernel. When it ends, its pid namespace kills all its processes, and the interface vanishes with its network
# namespace.
#   AGAIN  a file. Where it is there when the kernel has ended, the kernel is started once more on the same disk.
# The kernel could start itself again at a reboot, but it would still hold the interface, which lets nobody else in.
set -eu
again=$1
shift
ip link set lo up
ip tuntap add dev tap0 mode tap
ip addr add 192.0.2.1/24 dev tap0
ip link set tap0 up
while "$@" && [ -e "$again" ]; do
  rm "$again"
done
