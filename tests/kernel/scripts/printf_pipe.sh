#!/bin/bash
printf '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport %d -j ACCEPT\nCOMMIT\n' 22 | iptables-restore
