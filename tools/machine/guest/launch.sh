#!/bin/sh
# launch.sh KERNEL ARGUMENT…: the first process of a guest's namespaces. It sets up the network interface and becomes
# the kernel. When it ends, its pid namespace kills all its processes, and the interface vanishes with its network
# namespace.
set -eu
ip link set lo up
ip tuntap add dev tap0 mode tap
ip addr add 192.0.2.1/24 dev tap0
ip link set tap0 up
exec "$@"
