#!/bin/bash
# iptables -A INPUT -j DROP
iptables -A INPUT -p tcp \
  --dport 22 \
  -j ACCEPT # ok
#iptables -P INPUT DROP
: <<'COMMENT'
iptables -A INPUT -p tcp --dport 666 -j ACCEPT
COMMENT
if false; then
iptables -A INPUT -p tcp --dport 667 -j ACCEPT
fi
iptables -A INPUT -p udp --dport 53 -j ACCEPT;# tight
x="a # b"; iptables -A INPUT -m comment --comment "$x" -j ACCEPT
iptables -A INPUT -m comment --comment a#b -j ACCEPT
exit 0
iptables -A INPUT -p tcp --dport 668 -j ACCEPT
