#!/bin/bash
shopt -s expand_aliases
alias ipt='iptables -w'
ipt -A INPUT -p tcp --dport 22 -j ACCEPT
