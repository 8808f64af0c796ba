#!/bin/bash
set -- 10.0.0.1 10.0.0.2 10.0.0.3
iptables -A INPUT -s $2 -j DROP
for h; do iptables -A INPUT -s $h -j ACCEPT; done
for h in "$@"; do iptables -A OUTPUT -d $h -j ACCEPT; done
for h in "$*"; do iptables -A FORWARD -m comment --comment "$h" -j ACCEPT; done
