#!/bin/bash
set -e
iptables -D INPUT -p tcp --dport 22 -j ACCEPT 2>/dev/null || true
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -D INPUT -p tcp --dport 23 -j ACCEPT
iptables -P INPUT DROP
