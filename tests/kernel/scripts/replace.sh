#!/bin/bash
L="22 80 443"
iptables -A INPUT -p tcp -m multiport --dports ${L// /,} -j ACCEPT
x=eth0:1
iptables -A INPUT -i ${x/:/.} -j ACCEPT
iptables -A INPUT -i ${x//[0-9]/+} -j ACCEPT
y=a-b-c
iptables -N ${y//-}
iptables -N ${y/#a/z}
iptables -N ${y/%c/z}
iptables -N "${y//-/\/}"
