#!/bin/bash
declare -A m
m[ssh]=22
for k in "${!m[@]}"; do iptables -A INPUT -p tcp --dport ${m[$k]} -m comment --comment "$k" -j ACCEPT; done
unset 'm[ssh]'
for k in "${!m[@]}"; do iptables -A INPUT -p tcp --dport 1 -j DROP; done
