#!/bin/bash
IPT=(iptables -w)
"${IPT[@]}" -A INPUT -p tcp --dport 22 -j ACCEPT
${IPT[@]} -P INPUT DROP
opts=(-m comment --comment "a  b")
"${IPT[@]}" -A INPUT "${opts[@]}" -j ACCEPT
