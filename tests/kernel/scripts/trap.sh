#!/bin/bash
trap 'iptables -P INPUT ACCEPT' EXIT
iptables -P INPUT DROP
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
