#!/bin/sh
# args: stop
start() { iptables -P INPUT DROP; iptables -N x; iptables -A INPUT -j x; }
stop() { iptables -F; iptables -X; iptables -P INPUT ACCEPT; }
start
case $1 in start) start;; stop) stop;; esac
