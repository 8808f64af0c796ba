#!/bin/bash
ipt() { iptables "$@"; }
ip46() { iptables "$@"; ip6tables "$@"; }
ipt -A INPUT -p tcp --dport 22 -j ACCEPT
ip46 -A INPUT -p tcp --dport 80 -j ACCEPT
run() { echo "$@"; "$@"; }
run iptables -A INPUT -m comment --comment "a b" -j DROP
run2() { $*; }
run2 iptables -A INPUT -j LOG
