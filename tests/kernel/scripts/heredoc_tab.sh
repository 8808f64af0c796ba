#!/bin/bash
if true; then
	iptables-restore -n <<-EOF
	*filter
	-A INPUT -p tcp --dport 22 -j ACCEPT
	COMMIT
	EOF
fi
