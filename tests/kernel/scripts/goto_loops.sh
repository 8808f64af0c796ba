#!/bin/bash
iptables -N a; iptables -N b
iptables -A INPUT -j a
iptables -A a -j b
iptables -A b -j a && iptables -N loop || iptables -N noloop
iptables -A INPUT -g b && iptables -N goto
iptables -A a -j INPUT || iptables -N builtin
iptables -X b || iptables -N busy
iptables -F a; iptables -X b && iptables -N freed
iptables -F INPUT; iptables -X
iptables -t mangle -A PREROUTING -j MARK --set-mark 1
iptables -A OUTPUT -j MARK --set-mark 1 || iptables -N nomark
iptables -N averyveryverylongchainnamethatislong || iptables -N longchain
iptables -N ACCEPT || iptables -N accept
iptables -N -x || iptables -N dashx
