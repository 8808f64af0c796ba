#!/bin/bash
ENABLE_SSH="yes"; ENABLE_WEB=0; DEBUG=
if [ "$ENABLE_SSH" = "yes" ] || [ "$ENABLE_SSH" = "1" ]; then iptables -N ssh; fi
if [ "x$ENABLE_WEB" != "x0" ]; then iptables -N web; elif [ -z "$DEBUG" ]; then iptables -N nodebug; fi
if [[ "$ENABLE_SSH" =~ ^(yes|true|1)$ ]]; then iptables -N re; fi
if (( ENABLE_WEB )); then iptables -N w1; else iptables -N w0; fi
if test -n "$ENABLE_SSH" -a ! "$ENABLE_WEB" = 1; then iptables -N t; fi
if ! [ -n "$DEBUG" ]; then iptables -N nd; fi
if [[ -n $DEBUG && $DEBUG -gt 0 ]]; then iptables -N dbg; fi
if [ "${ENABLE_SSH,,}" == yes ]; then iptables -N low; fi
[ "$ENABLE_SSH" != no ] && { iptables -N grp1; iptables -N grp2; }
[ $ENABLE_WEB -eq 0 ] || { iptables -N nope; exit 1; }
if true; then if false; then iptables -N a; else iptables -N b; fi; fi
