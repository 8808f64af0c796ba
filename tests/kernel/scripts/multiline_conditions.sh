#!/bin/bash
A=1 B=2
if [ "$A" = 1 ] &&
   [ "$B" = 2 ]; then
  iptables -N both
fi
[ "$A" = 2 ] \
  || iptables -N or
iptables -N x &&
  iptables -A x -j DROP ||
  iptables -N bad
if iptables -A INPUT -j x \
   && iptables -A OUTPUT -j x
then iptables -N two
fi
case "$A$B" in
  12) iptables -N m12
      ;;
esac
