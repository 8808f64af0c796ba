#!/bin/bash
set -o nounset -o errexit
trap 'iptables -N trapped' EXIT
x=${UNDEF_-d}; iptables -N $x
iptables -N $x || iptables -N again
if ! iptables -N $x; then iptables -N notok; fi
f() { iptables -N $x; iptables -N infunc; }
f || iptables -N fcaught
set +e; iptables -N $x; iptables -N still; set -e
v=$(iptables -N $x; echo out); iptables -N v$v
iptables -N $x
iptables -N never
