#!/bin/bash
read -r -d '' RULES <<'EOF'
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
COMMIT
EOF
echo "$RULES" | iptables-restore
CONF='port=22
proto=tcp
# c'
while IFS='=' read -r k v; do
  case $k in port) P=$v;; proto) T=$v;; '#'*) :;; esac
done <<< "$CONF"
iptables -A INPUT -p $T --dport $P -j ACCEPT
eval "$(echo "$CONF" | grep -v '^#')"; iptables -A OUTPUT -p $proto --sport $port -j ACCEPT
export $(echo 'AA=1 BB=2'); iptables -N e$AA$BB
port=$(awk -F= '/^port/{print $2}' <<< "$CONF"); iptables -N p$port
[[ $CONF == *proto=tcp* ]] && iptables -N has
lines=(); while read -r l; do lines+=("$l"); done <<< "$CONF"; iptables -N l${#lines[@]}
