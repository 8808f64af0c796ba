#!/bin/bash
X=1
( X=2; iptables -N in$X; exit 3; iptables -N no )
iptables -N st$?
iptables -N out$X
(cd /tmp && iptables -N cd)
