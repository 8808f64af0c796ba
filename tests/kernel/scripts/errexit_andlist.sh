#!/bin/bash
set -e
false && true
iptables -N a1
[ 1 = 2 ] && iptables -N no
iptables -N a2
if false; then :; fi
while false; do :; done
iptables -N a3
(exit 3) || iptables -N a4
(false)
iptables -N never
