#!/bin/bash
for i in 1 2; do eval "chain$i=c$i; ports_$i='2$i 3$i'"; done
for i in 1 2; do
  eval "c=\$chain$i"; eval "ps=\"\${ports_$i}\""
  iptables -N $c
  for p in $ps; do iptables -A $c -p tcp --dport $p -j ACCEPT; done
done
code='iptables -N evald; x=7'
eval "$code"; iptables -N x$x
eval 'for q in 1 2; do iptables -N q$q; done'
eval "fn() { iptables -N fn\$1; }"; fn 3
