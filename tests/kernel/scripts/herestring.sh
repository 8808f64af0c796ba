#!/bin/bash
read a b <<< "10.0.0.1 10.0.0.2"
iptables -A INPUT -s $a -d $b -j ACCEPT
IFS=: read -r x y z <<< "tcp:22:ACCEPT"
iptables -A INPUT -p $x --dport $y -j $z
IFS=, read -ra arr <<< "1,2,3"
for i in "${arr[@]}"; do iptables -A INPUT -p tcp --dport $i -j DROP; done
