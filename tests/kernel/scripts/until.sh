#!/bin/bash
i=1
until [ $i -gt 3 ]; do iptables -A INPUT -p tcp --dport 100$i -j ACCEPT; i=`expr $i + 1`; done
