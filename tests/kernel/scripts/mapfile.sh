#!/bin/bash
mapfile -t L <<< "22
80"
for p in "${L[@]}"; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done
readarray -t M < <(seq 3 4)
for p in "${M[@]}"; do iptables -A INPUT -p udp --dport $p -j ACCEPT; done
