#!/bin/bash
for n in 1 2; do eval "HOST_$n=10.0.0.$n"; done
iptables -A INPUT -s $HOST_1 -j ACCEPT
eval iptables -A INPUT -s \$HOST_2 -j DROP
cmd="iptables -A INPUT -m comment --comment 'two words' -j LOG"
eval $cmd
eval "$cmd"
