#!/bin/bash
ports=(22 80); nets=(10.0.0.0/8 192.168.0.0/16)
{
  echo "*filter"
  echo ":INPUT DROP [0:0]"
  echo ":FORWARD DROP [0:0]"
  echo ":OUTPUT ACCEPT [0:0]"
  for n in "${nets[@]}"; do
    for p in "${ports[@]}"; do
      printf -- '-A INPUT -s %s -p tcp --dport %d -j ACCEPT\n' "$n" "$p"
    done
  done
  echo "COMMIT"
} | iptables-restore
gen6() { cat <<EOF
*filter
:INPUT DROP [0:0]
-A INPUT -p ipv6-icmp -j ACCEPT
$1
COMMIT
EOF
}
gen6 "-A INPUT -p tcp --dport ${ports[0]} -j ACCEPT" | ip6tables-restore
RULES="*nat
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT"
iptables-restore -n <<< "$RULES"
