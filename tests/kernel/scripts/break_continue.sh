#!/bin/bash
for i in 1 2 3 4 5; do
  [ $i = 2 ] && continue
  [ $i = 4 ] && break
  for j in a b c; do
    [ $j = b ] && continue 2
    iptables -N c$i$j
  done
  iptables -N never$i
done
while true; do for k in 1 2; do iptables -N k$k; break 2; done; done
