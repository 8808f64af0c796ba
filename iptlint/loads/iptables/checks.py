"""What iptables-restore and the kernel look at: a row for each check."""

from __future__ import annotations

from iptlint.loads.refusal import Check, Stage

SYNTAX = Check(
    "syntax", Stage.READING, "Error occurred at line", "iptables/xshared.c (do_parse), libxtables"
)
VALUE = Check(
    "refused value", Stage.READING, "Error occurred at line", "extensions/ of iptables, libxtables"
)
AT_COMMIT = Check(
    "kernel", Stage.KERNEL, "line … failed", "net/netfilter/x_tables.c, nft_compat.c, xt_*.c"
)
NO_MATCH = Check(
    "unknown match",
    Stage.READING,
    "Couldn't load match",
    "libxtables/xtables.c (xtables_find_match)",
)
NO_TARGET = Check(
    "unknown target",
    Stage.READING,
    "Couldn't load target, or: Chain … does not exist",
    "libxtables/xtables.c (xtables_find_target), iptables/nft.c (nft_cmd_rule_append)",
)
NO_CHAIN_TO_GO_TO = Check(
    "goto", Stage.READING, "goto … is not a chain", "iptables/iptables.c (do_command4)"
)
OWN_OPTIONS = Check(
    "options of a chain",
    Stage.READING,
    "unknown option",
    "iptables/xshared.c (command_default)",
)
INTERFACE = Check(
    "interface",
    Stage.READING,
    "Can't use -i with",
    "iptables/xshared.c (do_parse)",
    linted=True,
)
SET = Check("set", Stage.READING, "Set … doesn't exist.", "extensions/libxt_set.h (get_set_byname)")
BUILT_IN = Check(
    "jump to a built-in chain",
    Stage.KERNEL,
    "line … failed",
    "net/ipv4/netfilter/ip_tables.c (mark_source_chains), nf_tables_api.c (nft_verdict_init)",
)
LOOP = Check(
    "loop",
    Stage.KERNEL,
    "Too many links",
    "net/ipv4/netfilter/ip_tables.c (mark_source_chains), nf_tables_api.c (nft_chain_validate)",
    linted=True,
)
SYN = Check(
    "only of a SYN", Stage.KERNEL, "line … failed", "net/netfilter/xt_TCPMSS.c (find_syn_match)"
)
NO_LINE_END = Check(
    "last line",
    Stage.READING,
    "Bad argument `COMMIT'",
    "iptables/iptables-restore.c (ip46tables_restore_main)",
)
NO_TABLE = Check(
    "no table",
    Stage.READING,
    "line 1 failed",
    "iptables/iptables-restore.c (ip46tables_restore_main)",
)
RENAMED = Check(
    "rename",
    Stage.KERNEL,
    "CHAIN_RENAME failed (No such file or directory)",
    "iptables/nft.c (nft_chain_user_rename)",
)
VERSION = Check("version", Stage.READING, "unknown option", "the releases of iptables and of Linux")
TWO_PORTS = Check(
    "two negated ports",
    Stage.READING,
    "nothing: it prints the rule as it was written",
    "iptables/nft.c (add_nft_tcpudp)",
)
GLUED = Check(
    "glued argument",
    Stage.READING,
    "unknown protocol, or: host/network not found",
    "iptables/xshared.c (do_parse)",
)
