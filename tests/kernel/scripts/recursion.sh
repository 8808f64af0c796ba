#!/bin/bash
f() { [ $1 -le 0 ] && return; iptables -A INPUT -p tcp --dport $1; f $(($1-1)); }
f 3
