#!/bin/bash
# args: 22 tcp 53 udp
while [ $# -gt 0 ]; do
  iptables -A INPUT -p $2 --dport $1 -j ACCEPT
  shift 2
done
