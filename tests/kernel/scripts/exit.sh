#!/bin/bash
iptables -N a
if iptables -N a 2>/dev/null; then :; else echo exists >&2; exit 1; fi
iptables -P INPUT DROP
