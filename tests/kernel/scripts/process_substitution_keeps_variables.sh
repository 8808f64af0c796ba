#!/bin/bash
n=1
while read p; do n=$((n+1)); iptables -A INPUT -p tcp --dport $p -j ACCEPT; done < <(printf '22\n80\n')
iptables -A INPUT -p tcp --dport $n -j DROP
