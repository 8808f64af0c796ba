#!/bin/bash
outer() { inner() { iptables -N $1; }; inner a; }
outer
inner b
