#!/bin/bash
false | true; iptables -N p${PIPESTATUS[0]}
true | false; iptables -N s$?
