#!/bin/bash
alias ipt='iptables -w'
ipt -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -N after
