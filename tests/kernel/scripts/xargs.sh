#!/bin/bash
echo 22 80 443 | xargs -n1 iptables -A INPUT -j ACCEPT -p tcp --dport
printf '10.0.0.1\n10.0.0.2\n' | xargs -I{} iptables -A INPUT -s {} -j DROP
