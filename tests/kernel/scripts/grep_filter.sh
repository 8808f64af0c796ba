#!/bin/bash
HOSTS="
# hosts
10.0.0.1 web
10.0.0.2 db
"
echo "$HOSTS" | grep -v '^#' | grep . | while read ip name; do iptables -A INPUT -s $ip -m comment --comment $name -j ACCEPT; done
for ip in $(echo "$HOSTS" | grep web | awk '{ print $1 }'); do iptables -A OUTPUT -d $ip -j ACCEPT; done
if echo "$HOSTS" | grep -q db; then iptables -N hasdb; fi
c=$(echo "$HOSTS" | grep -c 10)
iptables -A INPUT -p tcp --dport $c
