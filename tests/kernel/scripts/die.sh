#!/bin/bash
die() { echo "$*" >&2; exit 1; }
iptables -N a || die one
iptables -N a || die two
iptables -P INPUT DROP
