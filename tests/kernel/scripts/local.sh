#!/bin/bash
f() { local port=$1 proto=${2:-tcp}; iptables -A INPUT -p $proto --dport $port -j ACCEPT; }
port=99
f 22; f 53 udp
iptables -A INPUT -p tcp --dport $port -j DROP
