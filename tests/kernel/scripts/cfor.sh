#!/bin/bash
for ((i=1, j=10; i<=3; i++, j+=10)); do iptables -A INPUT -p tcp --dport $i$j -j ACCEPT; done
for ((;;)); do iptables -A INPUT -j LOG; break; done
for ((i=3;i>0;i--)); do iptables -A INPUT -p udp --dport $i; done
