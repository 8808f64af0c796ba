#!/bin/bash
set -e
x=$(false) || true
local_ok() { local y=$(false); iptables -N lok; }
local_ok
z=$(false)
iptables -N never
