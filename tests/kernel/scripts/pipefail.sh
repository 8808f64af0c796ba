#!/bin/bash
set -eo pipefail
iptables -N a
false | true
iptables -P INPUT DROP
