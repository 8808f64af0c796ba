#!/bin/bash
x=abcdef
iptables -A INPUT -p tcp --dport ${#x} -j ACCEPT
iptables -N ${x:1:2}
iptables -N ${x:3}
iptables -N ${x: -2}
iptables -N ${x:0:-1}
iptables -N ${x:(-3):2}
