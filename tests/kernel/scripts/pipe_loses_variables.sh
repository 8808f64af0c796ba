#!/bin/bash
n=1
printf '22\n80\n' | while read p; do n=$((n+1)); iptables -A INPUT -p tcp --dport $p -j ACCEPT; done
iptables -A INPUT -p tcp --dport $n -j DROP
