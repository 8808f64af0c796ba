#!/bin/bash
iptables -N $(basename /etc/fw/web.conf .conf)
iptables -A INPUT -m comment --comment "$(dirname /etc/fw/web.conf)" -j ACCEPT
for i in $(seq 3); do iptables -A INPUT -p tcp --dport $i; done
for i in $(seq 2 2 6); do iptables -A INPUT -p udp --dport $i; done
for i in `seq -w 8 11`; do iptables -N c$i; done
for h in $(echo 'a
b
c' | head -2); do iptables -N $h; done
for h in $(printf 'd\ne\nf\n' | tail -n 1); do iptables -N $h; done
