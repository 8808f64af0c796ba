#!/bin/bash
for i in 08 09 10; do iptables -N z$((10#$i)); done
n=007; iptables -N n$((n))
[ 08 -eq 8 ] && iptables -N teq
x=0x1F; iptables -N x$((x))
for i in {01..03}; do iptables -N p$i; done
printf -v p '%02d' 5; iptables -N q$p
i=5; iptables -N m$((i*=2))$((i/3))$((i%3))
