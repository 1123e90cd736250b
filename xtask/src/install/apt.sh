# Installs the named Debian packages without starting their services: the tests start private servers themselves.
# Runs as root. The policy file is the system's way to say "start nothing"; a trap takes it away even after Ctrl-C.
set -eu
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get update
apt-get install --yes --no-install-recommends "$@"
