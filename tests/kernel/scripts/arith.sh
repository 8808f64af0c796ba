#!/bin/bash
a=5; b=3
iptables -A INPUT -p tcp --dport $((a*b+7)) -j ACCEPT
iptables -A INPUT -p tcp --dport $((a**2)) -j ACCEPT
iptables -A INPUT -p tcp --dport $((a>b ? 1 : 2)) -j ACCEPT
iptables -A INPUT -p tcp --dport $[a+b] -j ACCEPT
iptables -A INPUT -p tcp --dport $((1<<4)) -j ACCEPT
iptables -A INPUT -p tcp --dport $(( (a+b) % 3 )) -j ACCEPT
iptables -A INPUT -p tcp --dport $((0x10)) -j ACCEPT
iptables -A INPUT -p tcp --dport $(($a+$b)) -j ACCEPT
