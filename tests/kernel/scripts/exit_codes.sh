#!/bin/bash
check() { iptables -C "$@" &>/dev/null; }
ensure() { check "$@" || iptables -A "$@"; }
ensure INPUT -p tcp --dport 22 -j ACCEPT
ensure INPUT -p tcp --dport 22 -j ACCEPT
remove() { while check "$@"; do iptables -D "$@"; done; }
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
remove INPUT -p tcp --dport 22 -j ACCEPT
status() { iptables -S | grep -q -- "$1" ; }
iptables -A INPUT -j DROP
