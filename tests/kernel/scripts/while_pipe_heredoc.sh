#!/bin/bash
cat <<EOF | grep -v '^#' | tr -s ' ' | while IFS=' ' read p t; do
# comment
22   ACCEPT
80 DROP
EOF
  iptables -A INPUT -p tcp --dport $p -j $t
done
