#!/bin/sh
# args: restart
case $1 in
start) iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -P INPUT DROP;;
stop) iptables -P INPUT ACCEPT; iptables -F;;
restart) $0 stop; $0 start;;
esac
