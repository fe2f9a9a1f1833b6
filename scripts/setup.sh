#!/bin/sh
# setup.sh [npm] [system] [browser] [--quiet]: what the npm scripts need before they can do their work.
#   npm     installs the packages of package-lock.json when node_modules is missing or older than it
#   system  says which programs are missing (Nix, sshd) and, as root on Debian, installs them
#   browser the same for Chromium, in which the tests look at the page of `sessions report`
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

setup_system() {
  missing=
  command -v nix-store >/dev/null 2>&1 || missing="$missing nix-bin"
  command -v sshd >/dev/null 2>&1 || [ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
  command -v ssh >/dev/null 2>&1 || missing="$missing openssh-client"
  install_missing
}

setup_browser() {
  missing=
  # without a font of the system's there is no text in a picture
  command -v chromium >/dev/null 2>&1 || missing=" chromium fonts-dejavu-core"
  install_missing
}

install_missing() {
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing with apt-get:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # The package openssh-server would start a server on this machine; nobody asked for one (invoke-rc.d(8)).
    guard=/usr/sbin/policy-rc.d
    [ -e "$guard" ] && guard= || { printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"; }
    # shellcheck disable=SC2086 # a list of package names
    if { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >&2; then done=1; else done=; fi
    [ -z "$guard" ] || rm -f "$guard"
    [ -n "$done" ] || { say "apt-get could not install:$missing"; exit 1; }
  else
    say "missing:$missing. Install these packages (Debian names), or run this as root on Debian."
    exit 1
  fi
}

steps=
for word in "$@"; do
  case $word in
    npm | system | browser) steps="$steps $word" ;;
    --quiet) QUIET=1 ;;
    *) echo "setup.sh: unknown word '$word'; usage: setup.sh [npm] [system] [browser] [--quiet]" >&2; exit 64 ;;
  esac
done
for step in ${steps:-npm system browser}; do "setup_$step"; done
