#!/bin/bash
while read -r port proto rest; do
  [ -z "$port" ] && continue
  case $port in \#*) continue;; esac
  iptables -A INPUT -p ${proto:-tcp} --dport $port -m comment --comment "$rest" -j ACCEPT
done <<EOF
22 tcp ssh for admins

# comment
53 udp  dns
80
EOF
