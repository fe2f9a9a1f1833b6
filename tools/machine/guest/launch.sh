#!/bin/sh
# launch.sh KERNEL ARGUMENT…: the first process of a guest's own namespaces lays the wire and becomes the kernel.
# When it ends, the pid namespace ends what it started and the interface goes with its namespace.
set -eu
ip link set lo up
ip tuntap add dev tap0 mode tap
ip addr add 192.0.2.1/24 dev tap0
ip link set tap0 up
exec "$@"
