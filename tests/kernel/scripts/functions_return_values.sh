#!/bin/bash
get_port() { echo 2222; }
get_ports() { for i in 1 2; do echo "300$i"; done; }
is_v6() { case $1 in *:*) return 0 ;; *) return 1 ;; esac; }
ip_of() { local n=$1; case "$n" in web) echo 10.0.0.1 ;; db) echo fd00::1 ;; esac; }
iptables -A INPUT -p tcp --dport $(get_port) -j ACCEPT
for p in $(get_ports); do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done
for h in web db; do
  ip=$(ip_of $h)
  if is_v6 "$ip"; then ip6tables -A INPUT -s "$ip" -j ACCEPT; else iptables -A INPUT -s "$ip" -j ACCEPT; fi
done
max() { [ $1 -gt $2 ] && echo $1 || echo $2; }
iptables -N m$(max 3 7)
