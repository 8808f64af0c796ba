#!/bin/bash
i=0
((i)) && iptables -N no
((i==0)) && iptables -N yes
if ((i<5 && i>=0)); then iptables -N both; else iptables -N none; fi
((i++)) || iptables -N zero
((i++)) || iptables -N nonzero
((i!=2)) || iptables -N two
((i<1||i>1)) && iptables -N or
((!i)) && iptables -N neg || iptables -N pos
