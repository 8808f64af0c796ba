#!/bin/bash
# args: -t 22,80 -u 53 --lan 10.0.0.0/8 eth3
usage() { cat <<USAGE
usage: $0 [options] iface
USAGE
exit 1; }
TCP= UDP= LAN=
while :; do
  case "${1-}" in
    -t|--tcp) TCP=$2; shift ;;
    -u|--udp) UDP=${2}; shift ;;
    --lan) LAN=$2; shift ;;
    -h) usage ;;
    --) shift; break ;;
    -?*) echo "unknown $1" >&2; usage ;;
    *) break ;;
  esac
  shift
done
[ $# -eq 1 ] || usage
IF=$1
IFS=',' read -r -a tcp <<< "$TCP"
for p in "${tcp[@]}"; do iptables -A INPUT -i "$IF" -p tcp --dport "$p" ${LAN:+-s "$LAN"} -j ACCEPT; done
OLDIFS=$IFS; IFS=,
for p in $UDP; do iptables -A INPUT -i $IF -p udp --dport $p -j ACCEPT; done
IFS=$OLDIFS
iptables -P INPUT DROP
