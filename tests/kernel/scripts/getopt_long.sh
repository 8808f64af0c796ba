#!/bin/bash
# args: --port 22 --proto=udp -v file1
while [ $# -gt 0 ]; do
  case $1 in
    --port|-p) PORT="$2"; shift 2; continue;;
    --proto=*) PROTO=${1#--proto=};;
    -v) VERBOSE=1;;
    -*) echo bad; exit 2;;
    *) FILES+=("$1");;
  esac
  shift
done
iptables -A INPUT -p ${PROTO:-tcp} --dport ${PORT:?} -j ACCEPT
[ "${VERBOSE:-0}" -eq 1 ] && iptables -N verbose
iptables -N ${FILES[0]}-${#FILES[@]}
