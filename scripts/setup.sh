#!/bin/sh
# setup.sh [npm] [system] [tests] [browser] [--quiet]: provides the packages and programs that the npm scripts need.
#   npm     installs the packages of package-lock.json when node_modules is missing or older than it
#   system  reports missing programs (Nix, sshd) and, as root on Debian, installs them
#   tests   the same for programs that only tests need; a test whose program is missing is skipped with a message
#   browser the same for Chromium, in which the tests open the page of `sessions report`
# All are quick when there is nothing to do. All output goes to stderr: stdout belongs to the calling script.
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

# has NAME: whether the program is installed, also outside of PATH
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/usr/lib/systemd/$1" ] || [ -x "/lib/systemd/$1" ]; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# links_of_boot: prints the links of the units that systemd or init starts at the next boot, one a line
links_of_boot() { find /etc/systemd/system /etc/rc[S2345].d -type l \( -path '*.wants/*' -o -path '*.requires/*' -o -name 'S*' \) 2>/dev/null | sort; }

# leave_boot BEFORE: removes the boot links that packages have added since links_of_boot printed the file BEFORE
leave_boot() {
  links_of_boot | comm -13 "$1" - | while IFS= read -r link; do
    name=${link##*/}
    case $link in
      /etc/rc*) update-rc.d "${name#S[0-9][0-9]}" disable >&2 ;;
      # deb-systemd-helper(1p) works without systemd too, and remembers the choice for the package's next version
      *) if command -v systemctl >/dev/null 2>&1; then systemctl --quiet disable "$name" >&2; else deb-systemd-helper disable "$name" >&2; fi ;;
    esac || say "$name starts at the next boot; it could not be disabled"
  done
}

# install PACKAGE…: installs with apt-get. It does not start the packages' services, now or at the next boot
install() {
  say "installing with apt-get: $*. What they would start at boot is disabled again. To undo it: apt-get purge $*"
  before=$(mktemp)
  links_of_boot >"$before"
  export DEBIAN_FRONTEND=noninteractive
  # Packages of servers would start them on this machine. This policy forbids that (invoke-rc.d(8)).
  guard=/usr/sbin/policy-rc.d
  [ -e "$guard" ] && guard= || { printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"; }
  if { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >&2; then done=1; else done=; fi
  [ -z "$guard" ] || rm -f "$guard"
  leave_boot "$before"
  rm -f "$before"
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
  # without a system font, pictures have no text
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
