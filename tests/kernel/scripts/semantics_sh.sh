#!/bin/sh
f () { iptables -N "$1"; }
f a; f b && f c
if f a 2>/dev/null; then f no; else f yes; fi
x="1 2"; for i in $x; do f n$i; done
for i in "$x"; do iptables -A a -m comment --comment "$i" -j RETURN; done
set -- p q; f "$1$2"; shift; f $1$#
y=${x%% *}; f y$y; z=${x#* }; f z$z
[ "$x" != "1 2" ] || f eq
case $x in 1*) f case;; esac
i=0; while :; do i=$((i+1)); [ $i -ge 3 ] && break; f w$i; done
unset x; f ${x-unset}; f ${x:-null}
f "$(printf %s pf)"; f `basename /a/b.c .c`
( f sub; exit 1 ) || f after
{ f grp; } && f grp2
! false && f notfalse
f dq"x"'y'z
