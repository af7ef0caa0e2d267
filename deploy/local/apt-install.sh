#!/bin/sh
# Installs Debian packages without a question, as root or with a sudo that asks for no password. A service that a
# package brings is neither started now nor at the next boot: the checkout runs its own.
set -eu
[ "$(id -u)" = 0 ] || exec sudo -n sh "$0" "$@"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
get() { apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"; }
get "$@" || { apt-get update -qq && get "$@"; } # the machine's list of packages may be missing or old
if [ -d /run/systemd/system ]; then
    for package in "$@"; do systemctl disable --quiet "$package" 2>/dev/null || true; done
fi
