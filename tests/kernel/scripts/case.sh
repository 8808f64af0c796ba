#!/bin/bash
x=accept
iptables -P INPUT ${x^^}
iptables -P FORWARD ${x^^}
Y=TCP
iptables -A INPUT -p ${Y,,} -j ${x^^}
iptables -N ${x^}
iptables -N ${Y,}
declare -u up=drop
iptables -P OUTPUT $up
