#!/bin/bash
iptables -N a; rc=$?
[ $rc -eq 0 ] && iptables -N ok
iptables -N a 2>/dev/null
rc=$?
if [ $rc -ne 0 ]; then iptables -N notok$rc; fi
if [ $? = 0 ]; then iptables -N q; fi
