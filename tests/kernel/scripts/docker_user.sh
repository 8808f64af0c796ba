#!/bin/sh
set -e
iptables -N DOCKER-USER 2>/dev/null || true
iptables -F DOCKER-USER
for ip in 10.0.0.1 10.0.0.2; do
  iptables -A DOCKER-USER -s "$ip" -j RETURN
done
iptables -A DOCKER-USER -i eth0 -j DROP
iptables -A DOCKER-USER -j RETURN
iptables -D FORWARD -j DOCKER-USER 2>/dev/null || :
iptables -I FORWARD -j DOCKER-USER
