"""What iptables 1.8.9 and nft 1.0.6 get wrong when they write a rule of iptables in nft.

``KNOWN_TRANSLATOR_FAULTS.md`` tells of each, under its name here.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Fault(NamedTuple):
    """``rule`` is searched in the rule of iptables, ``made`` in what was made of it."""

    name: str
    rule: str
    made: str = ""


OF_RULES = (
    Fault("owner, negated", r"! --[ug]id-owner"),
    Fault("cgroup, negated", r"! --cgroup"),
    Fault("realm, negated", r"! --realm"),
    Fault("protocols without options", r"-m (tcp|udp|sctp|dccp|esp|ah|mh)( -[jm]|$)"),
    Fault("ports of udp, negated", r"udp(?!.*! --sport).*! --dport|udp.*! --sport \S+ --dport"),
    Fault("ports on either side, as ranges", r"--ports \S*\d:\d"),
    Fault("empty ranges", r"4:3\b"),
    Fault("any length", r"--length 0:65535"),
    Fault("any icmp", r"--icmp-type any"),
    Fault("one flag of tcp", r"--tcp-flags ", r"tcp flags (!= )?\w+ / \w+ "),
    Fault("options of tcp", r"! --tcp-option|--mss |-j TCPMSS"),
    Fault("ecn", r"--ecn-tcp-"),
    Fault("tos", r"-j TOS"),
    Fault("ipcomp", r"-m ipcomp( --ipcompspi 4:4294967295)?($| -j)"),
    Fault("chunks of sctp", r"--chunk-types \w+ (\S*[,:]|I_|RE_CONFIG|PAD)"),
    Fault("types of dccp", r"--dccp-types \S*INVALID"),
    Fault("headers of ip6", r"-m (frag|rt|hbh|dst)\b|^(?!.*-p ).*-m ah\b"),
    Fault("marks of connections", r"-j CONNMARK --set-xmark", r"xor \S+ and "),
    Fault("translated connections", r"--ctstate \S*[SD]NAT"),
    Fault("no status", r"--ctstatus (NONE)?$"),
    Fault("labels", r"! --label|--label \S+ --set"),
    Fault("helpers with a port", r"--helper \S+-\d"),
    Fault("cluster", r"-m cluster"),
    Fault("types of addresses", r"--src-type .*--dst-type|-type (UNSPEC|UNICAST)"),
    Fault("the way back, of local addresses", r"-m rpfilter .*--accept-local"),
    Fault("no interface at all", r"! -[io] \+"),
    Fault("times", r"--datestop 2038-01-19T03:14:07"),
    Fault("expirations", r"--ctexpire (0:)?4294967295"),
    Fault("long texts", r"--comment \S{129}|--nflog-prefix \S{64}"),
    Fault("dollar signs", r"--log-prefix .*\$"),
    Fault("ranges of ip6 with ports", r"\[[0-9a-f:]+-[0-9a-f:]+\]:"),
)
"""Rules that are left out of both sides."""


def fault_of(rule: str, made: str) -> str | None:
    fits = (f for f in OF_RULES if re.search(f.rule, rule) and re.search(f.made, made))
    return next((f.name for f in fits), None)


OF_FILES = (
    Fault("numbered insertion", r"(?m)^-I \S+ ([2-9]|1\b[\s\S]*^-I \S+ 1 )"),
    Fault("a listing that breaks off", r"-m hashlimit", r"[^}\s]\s*\Z"),
    Fault("names of chains", r"(?m)^:(reject|dynamic|\S*~\S*) "),
)
"""Files that are left out whole."""


_CHAIN = re.compile(r"(?m)^add chain (\S+ \S+ \S+)")
_RULE = re.compile(r"(?m)^(?:add|insert) rule (\S+ \S+ \S+)")


def fault_of_file(text: str, made: str) -> str | None:
    if {*_RULE.findall(made)} - {*_CHAIN.findall(made)}:
        return "chains that are not declared"
    fits = (f for f in OF_FILES if re.search(f.rule, text) and re.search(f.made, made))
    return next((f.name for f in fits), None)


OF_TABLES = ("the table security", "chains that are not declared")
"""Faults that no rule shows: the priority of a table, and ``add chain`` that is missing."""
