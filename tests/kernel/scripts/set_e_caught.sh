#!/bin/bash
set -e
iptables -N a
iptables -N a || true
iptables -N a || :
if iptables -N a; then iptables -N never; fi
! iptables -N a
iptables -D INPUT -j a && echo no
iptables -P INPUT DROP
