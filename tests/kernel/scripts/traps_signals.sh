#!/bin/bash
rollback() { iptables -P INPUT ACCEPT; iptables -F; }
trap rollback ERR
iptables -P INPUT DROP
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A INPUT -j nosuch || true
trap - ERR
iptables -A INPUT -j nosuch
iptables -A INPUT -j DROP
