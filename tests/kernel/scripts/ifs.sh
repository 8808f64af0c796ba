#!/bin/bash
LIST=10.0.0.1:10.0.0.2:10.0.0.3
OLD=$IFS
IFS=:
for h in $LIST; do iptables -A INPUT -s $h -j DROP; done
IFS=$OLD
for w in a b; do iptables -N $w; done
unset IFS
X="p q"
for w in $X; do iptables -N $w; done
