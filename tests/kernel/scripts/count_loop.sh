#!/bin/sh
n=0
for port in 1000 1001 1002 1003; do
  n=$((n+1))
  [ $((n % 2)) -eq 0 ] && continue
  iptables -A INPUT -p tcp --dport $port -j ACCEPT
done
i=3
while [ $i -gt 0 ]; do iptables -N chain$i; i=$((i-1)); done
until [ "$i" -ge 2 ]; do i=$(expr $i + 1); iptables -A chain$i -j RETURN; done
[ "$i" -eq 2 -a "$n" -eq 4 ] && iptables -N fin
