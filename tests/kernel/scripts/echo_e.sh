#!/bin/bash
echo -e "*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT" | iptables-restore
echo "a\nb" | while read -r l; do iptables -A INPUT -m comment --comment "$l" -j ACCEPT; done
