#!/bin/sh
# Makes sure that what a command needs is installed, then becomes that command. usage: run.sh COMMAND [ARGUMENT…]
# This is the one script that runs before `npm ci`, so it needs nothing but a POSIX shell, npm and Debian.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache

# Two runs at once must not both install: the lock goes when this shell does (fd 9 is not passed on).
exec 9>.cache/setup.lock
flock -w 900 9 || { echo 'setup: another run has been installing for 15 minutes; see .cache/setup.lock' >&2; exit 1; }

if ! [ -x node_modules/.bin/node ] || ! node test/setup/installed.mjs; then
  echo 'setup: npm ci'
  npm ci --no-audit --no-fund --loglevel=error # not that the Node which npm itself has is another
fi

missing=$(sed '/^#/d' test/setup/packages.txt | while read -r package; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
  installed) ;;
  *) printf '%s ' "$package" ;;
  esac
done)
if [ -n "$missing" ]; then
  install="apt-get install --yes --no-install-recommends $missing"
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "setup: programs are missing. On Debian 12, as root: $install" >&2
    exit 1
  fi
  echo "setup: $install"
  # Some packages start a daemon on installation; Debian asks policy-rc.d first, and 101 is "forbidden".
  policy=/usr/sbin/policy-rc.d
  made=
  if ! [ -e $policy ]; then
    made=$policy
    trap 'rm -f "$made"' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q -o DPkg::Lock::Timeout=300 >.cache/apt.log 2>&1 &&
    $install -q -o DPkg::Lock::Timeout=300 >>.cache/apt.log 2>&1 || {
    tail -n 20 .cache/apt.log >&2
    echo 'setup: apt-get failed; the whole of it is in .cache/apt.log' >&2
    exit 1
  }
  [ -z "$made" ] || rm -f "$made" # exec below would skip the trap
fi

exec 9>&-
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec "$@"
