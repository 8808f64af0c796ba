#!/bin/sh
echo "22\n80" | while read -r l; do iptables -A INPUT -p tcp --dport $l -j ACCEPT; done
