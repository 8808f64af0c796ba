#!/bin/bash
i=0
((i++)); iptables -A INPUT -p tcp --dport $i
((i+=5)); iptables -A INPUT -p tcp --dport $i
let i++; iptables -A INPUT -p tcp --dport $i
let "i = i * 2"; iptables -A INPUT -p tcp --dport $i
i=$((i+1)); iptables -A INPUT -p tcp --dport $i
iptables -A INPUT -p tcp --dport $((i++)); iptables -A INPUT -p tcp --dport $i
iptables -A INPUT -p tcp --dport $((++i))
((--i)); iptables -A INPUT -p tcp --dport $i
: $((i+=3)); iptables -A INPUT -p tcp --dport $i
