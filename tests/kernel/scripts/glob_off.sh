#!/bin/bash
set -f
x="*"
iptables -A INPUT -m comment --comment "$x" -j ACCEPT
set +f
iptables -A INPUT -m comment --comment '*' -j ACCEPT
