#!/bin/bash
set -e
iptables -N a
iptables -N a
iptables -P INPUT DROP
