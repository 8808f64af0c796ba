#!/bin/bash
choice=2
open() { iptables -A INPUT -p tcp --dport "$1" -j ACCEPT; }
close() { iptables -A INPUT -p tcp --dport "$1" -j DROP; }
actions=([1]=open [2]=close)
${actions[$choice]} 8080
case $choice in 1) open 1 ;; 2|3) close 2 ;; esac
func=open; $func 99
[ "$(type -t open)" = function ] && iptables -N isfunc
