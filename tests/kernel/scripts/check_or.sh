#!/bin/bash
r="INPUT -p tcp --dport 22 -j ACCEPT"
iptables -C $r 2>/dev/null || iptables -A $r
iptables -C $r 2>/dev/null || iptables -A $r
iptables -C $r && iptables -N there
if ! iptables -C INPUT -p udp -j ACCEPT >/dev/null 2>&1; then iptables -I INPUT -p udp -j ACCEPT; fi
