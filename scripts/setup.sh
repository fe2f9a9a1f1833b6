#!/bin/sh
# setup.sh [npm] [system] [tests] [browser] [--quiet]: what the npm scripts need before they can do their work.
#   npm     installs the packages of package-lock.json when node_modules is missing or older than it
#   system  says which programs are missing (Nix, sshd) and, as root on Debian, installs them
#   tests   the same for what only tests need; tests that lack something are left out and say so
#   browser the same as system for Chromium, in which the tests look at the page of `sessions report`
# All are quick when there is nothing to do. Everything is said on stderr: stdout belongs to the script that asked.
set -eu
cd "$(dirname "$0")/.."
QUIET=
say() { [ -n "$QUIET" ] || echo "setup: $*" >&2; }

setup_npm() {
  stamp=node_modules/.nixgate-lock
  if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
    say "installing the npm packages of package-lock.json"
    npm ci --no-audit --no-fund --loglevel=error >&2
    cp package-lock.json "$stamp"
  fi
}

# has NAME: whether there is such a program, also outside of PATH
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/usr/lib/systemd/$1" ] || [ -x "/lib/systemd/$1" ]; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# install PACKAGE…: with apt-get, and without starting what the packages would start
install() {
  say "installing with apt-get: $*"
  export DEBIAN_FRONTEND=noninteractive
  # Packages of servers would start them on this machine; nobody asked for one (invoke-rc.d(8)).
  guard=/usr/sbin/policy-rc.d
  [ -e "$guard" ] && guard= || { printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"; }
  if { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >&2; then done=1; else done=; fi
  [ -z "$guard" ] || rm -f "$guard"
  [ -n "$done" ] || { say "apt-get could not install: $*"; return 1; }
}

setup_system() {
  missing=
  has nix-store || missing="$missing nix-bin"
  has sshd || missing="$missing openssh-server"
  has ssh || missing="$missing openssh-client"
  install_missing
}

setup_browser() {
  missing=
  # without a font of the system's there is no text in a picture
  has chromium || missing=" chromium fonts-dejavu-core"
  install_missing
}

install_missing() {
  [ -n "$missing" ] || return 0
  if can_install; then
    # shellcheck disable=SC2086 # a list of package names
    install $missing || exit 1
  else
    say "missing:$missing. Install these packages (Debian names), or run this as root on Debian."
    exit 1
  fi
}

setup_tests() {
  missing=
  has strace || missing="$missing strace"
  has systemd-journal-upload || missing="$missing systemd-journal-remote"
  has promtool || missing="$missing prometheus"
  has prometheus-node-exporter || missing="$missing prometheus-node-exporter"
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # a list of package names
  if can_install && install $missing; then return 0; fi
  say "missing:$missing. The tests that need them are left out."
}

steps=
for word in "$@"; do
  case $word in
    npm | system | tests | browser) steps="$steps $word" ;;
    --quiet) QUIET=1 ;;
    *) echo "setup.sh: unknown word '$word'; usage: setup.sh [npm] [system] [tests] [browser] [--quiet]" >&2; exit 64 ;;
  esac
done
for step in ${steps:-npm system}; do "setup_$step"; done
