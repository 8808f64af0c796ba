#!/bin/bash
log() { local lvl=$1; shift; printf '%s: %s\n' "$lvl" "$*" >&2; }
try() { log INFO "run $*"; if "$@"; then return 0; else local rc=$?; log ERR "rc=$rc"; return $rc; fi; }
fw() { try iptables -w "$@"; }
fw -N a && fw -A a -j DROP
fw -N a; rc=$?
((rc)) && fw -A INPUT -j a
fw -A INPUT -j missing || fw -N missing
fw -A INPUT -j missing
