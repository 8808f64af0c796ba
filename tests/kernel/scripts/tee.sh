#!/bin/bash
echo "-A INPUT -p tcp --dport 22 -j ACCEPT" | tee $TMPDIR/x >/dev/null
T=$(mktemp)
cat > $T <<EOF
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
EOF
iptables-restore < $T
rm -f $T
