#!/bin/bash
trap 'iptables -P INPUT DROP; exit 1' ERR
iptables -N a
iptables -N a
iptables -N b
