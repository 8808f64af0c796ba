"""What nft and nf_tables look at: a row for each check.

``src/`` is nftables, ``net/`` is Linux. What a row says of a version holds for every one that
docs/loads.md names, unless ``versions.py`` has it.
"""

from __future__ import annotations

from dataclasses import replace

from iptlint.loads.refusal import Check, Stage

_KERNEL = "Could not process rule: "


def _reading(name: str, says: str, decided: str = "src/parser_bison.y") -> Check:
    return Check(name, Stage.READING, says, decided)


def _evaluation(name: str, says: str, decided: str) -> Check:
    return Check(name, Stage.EVALUATION, says, f"src/evaluate.c {decided}")


def _kernel(name: str, says: str, decided: str) -> Check:
    return Check(name, Stage.KERNEL, _KERNEL + says, decided)


_TABLES = "net/netfilter/nf_tables_api.c"

# -- while nft reads -------------------------------------------------------------------------

SYNTAX = _reading("syntax", "syntax error")
CHAIN_TYPE = _reading("chain type", "unknown chain type")
DATATYPE = _reading("data type", "unknown datatype")
TABLE_FLAG = _reading("table flag", "unknown table option")
GIVEN_TWICE = _reading(
    "given twice", "You can only specify this once. This statement is duplicated."
)
SEPARATOR = _reading("separator", "syntax error, expecting newline or semicolon")
SET_FLAG = _reading("set flag", "unknown set flag")
POLICY_TWICE = _reading("policy twice", "you cannot set chain policy twice")
POLICY = _reading("chain policy", "syntax error")
VERB = _reading("verb", "syntax error")
VARIABLE = _reading("variable", "unknown identifier")
LOG_LEVEL = _reading("log level", "invalid log level")
LOG_FLAG = _reading("log flag", "syntax error")
LAST_LINE = Check(
    "last line", Stage.READING, "syntax error, unexpected junk", "src/scanner.l", alone=True
)
NAME = _reading("name", "syntax error", "src/scanner.l")
BLANK_LINE = _reading("blank line", "syntax error, unexpected newline, expecting comma or '}'")
TIME = _reading("time", "wrong time format", "src/datatype.c time_parse")
UNIT = _reading("unit", "syntax error")
BURST = _reading("burst", "packet limit burst must be > 0", "src/parser_bison.y limit_stmt")
XT = replace(
    _reading("xt", "unsupported xtables compat expression, use iptables-nft with this ruleset"),
    linted=True,
)
NAME_LENGTH = _reading("name length", "name too long")
COMMENT_LENGTH = _reading("comment length", "comment too long, 128 characters maximum allowed")
FIELD = _reading("field", "Unknown … field", "src/parser_json.c json_parse_payload_expr")
FIB = _reading("fib", "fib: need either saddr or daddr", "src/parser_bison.y fib_expr")
NUMBER = _reading("number", "value too large")
HELPER_PROTOCOL = _reading("helper protocol", "syntax error")

# -- while nft evaluates ---------------------------------------------------------------------

VALUE = _evaluation("value", "Could not parse", "expr_evaluate_symbol")
HOOK = _evaluation("hook", "family does not support this hook", "str2hooknum")
PRIORITY = _evaluation("priority", "invalid priority expression", "evaluate_priority")
NO_DEVICE = _evaluation("no device", "This chain type cannot be bound to device", "chain_evaluate")
NO_TABLE = _evaluation("no table", "No such file or directory", "table_not_found")
NO_SET = replace(_evaluation("no set", "No such file or directory", "set_not_found"), linted=True)
PROTOCOL = _evaluation("protocol", "conflicting protocols specified", "expr_evaluate_payload")
NEGATION = _evaluation(
    "negation", "negation can only be used with singleton bitmask", "expr_evaluate_relational"
)
CONCAT_LENGTH = _evaluation(
    "length of what is read at once", "too many concatenation components", "expr_evaluate_concat"
)
SHIFT = _evaluation("shift", "shift of … bits is undefined for type of", "expr_evaluate_shift")
ICMP = _evaluation(
    "type of ICMP", "incompatible icmp match", "payload_gen_icmp_dependency (src/payload.c)"
)
EXTENSION_HEADER = _evaluation("extension header", "cannot use exthdr with", "expr_evaluate_exthdr")
NFPROTO = _evaluation(
    "nfproto", "meta nfproto is only useful in the inet family", "expr_evaluate_meta"
)
NEXTHOP = _evaluation("next hop", "cannot determine ip protocol version", "expr_evaluate_rt")
CT_ADDRESS = _evaluation(
    "address of a connection", "cannot determine ip protocol version", "ct_gen_nh_dependency"
)
CT_LOOKED_UP = _evaluation(
    "address of a connection in a set",
    "specify either ip or ip6 for address matching",
    "expr_evaluate_map, expr_evaluate_concat, expr_evaluate_relational",
)
IPSEC = _evaluation(
    "ipsec", "ipsec expression is only valid in ip/ip6/inet tables", "expr_evaluate_xfrm"
)
TERMINAL = _evaluation(
    "statement after a verdict", "Statement after terminal statement has no effect", "rule_evaluate"
)
MISMATCH = _evaluation("mismatch", "datatype mismatch", "expr_evaluate_relational")
RELATION = _evaluation("relation", "Relational expression is undefined", "expr_evaluate_relational")
MAPPING = _evaluation("mapping", "mapping outside of map context", "expr_evaluate_mapping")
NOT_A_MAP = _evaluation("not a map", "Expression is not a map", "expr_evaluate_map")
TPROXY_RANGE = _evaluation(
    "range of tproxy", "ranges are not supported for tproxy.", "stmt_evaluate_tproxy"
)
REJECT = _evaluation("reject", "conflicting protocols specified", "stmt_evaluate_reject_family")
NAT_FAMILY = _evaluation(
    "translation", "NAT is only supported for IPv4/IPv6", "nat_evaluate_family"
)
NAT_ADDRESS = _evaluation(
    "address to translate to",
    "ip or ip6 must be specified with address for inet tables.",
    "stmt_evaluate_addr",
)
NAT_PORT = _evaluation(
    "port to translate to",
    "transport protocol mapping is only valid after transport protocol match",
    "nat_evaluate_transport",
)
TPROXY = _evaluation(
    "tproxy", "tproxy is only supported for IPv4/IPv6/INET", "stmt_evaluate_tproxy"
)
TPROXY_PORT = _evaluation(
    "protocol of tproxy",
    "Transparent proxy support requires transport protocol match",
    "stmt_evaluate_tproxy",
)
FAMILY = _evaluation("family", "unsupported family", "stmt_evaluate_fwd, stmt_evaluate_dup")
LOG_OPTIONS = _evaluation(
    "log options", "level and group are mutually exclusive", "stmt_evaluate_log"
)
LOG_PREFIX = _evaluation("log prefix", "log prefix is too long", "stmt_evaluate_log_prefix")
FANOUT = _evaluation("fanout", "fanout requires a range to be specified", "stmt_evaluate_queue")
STATEFUL = _evaluation("stateful", "statement must be stateful", "stmt_evaluate_set")
CONSTANT = _evaluation(
    "constant", "Map expression can not be constant", "expr_evaluate_map, expr_evaluate_symbol"
)
SET_KEY = _evaluation("set key", "set definition does not specify key", "set_evaluate")
MAP_DATA = _evaluation(
    "map data", "map definition does not specify mapping data type", "set_evaluate"
)
UNQUALIFIED = _evaluation(
    "unqualified type", "unqualified type specified in set definition", "set_key_data_error"
)
AUTO_MERGE = _evaluation("auto-merge", "auto-merge only works with interval sets", "set_evaluate")
NO_INTERVAL = _evaluation(
    "flags interval",
    "You must add 'flags interval' to your set declaration",
    "expr_evaluate_set_elem",
)
ELEMENT = _evaluation("element", "datatype mismatch", "expr_evaluate_concat")
NOT_A_SET_OF_MAPPINGS = _evaluation("element of a map", "set is not a map", "expr_evaluate_mapping")
SINGLETON = _evaluation("single value", "Value must be a singleton", "expr_evaluate_mapping")
OVERLAP = replace(
    _evaluation("overlap", "conflicting intervals specified", "set_overlap (src/intervals.c)"),
    linted=True,
)
ADDED = _evaluation(
    "overlap of what is added",
    "interval overlaps with an existing one",
    "set_overlap (src/intervals.c)",
)
KEYS_OVERLAP = _evaluation(
    "overlap of keys", "conflicting intervals specified", "set_overlap (src/intervals.c)"
)
DAY = _evaluation("day", "exceeds valid range 0-6", "expr_evaluate_meta")
QUEUE = _evaluation("queue", "exceeds valid range 0-65535", "stmt_evaluate_queue")
EMPTY_SET = _evaluation("empty set", "Set is empty", "expr_evaluate_relational")
NO_OBJECT = _evaluation("no object", "No such file or directory", "cmd_evaluate_list")
RULE_INDEX = _evaluation(
    "rule", "Could not process rule: No such file or directory", "rule_cache_update"
)
EXPECTATION = _evaluation("expectation", "missing options", "ct_expect_evaluate")
TIMEOUT_STATE = _evaluation(
    "timeout state", "invalid state for this protocol", "ct_timeout_evaluate"
)
SET_STATEMENT = _evaluation("statement of a set", "statement mismatch", "expr_evaluate_set_elem")

# -- in the kernel ---------------------------------------------------------------------------

NO_KIND = _kernel("kind", "Operation not supported", "net/netfilter/nft_ct.c")
NO_OWNER = _kernel("owner", "Operation not supported", f"{_TABLES} nf_tables_updtable")
MISSING = _kernel("missing", "No such file or directory", _TABLES)
NO_CHAIN = replace(_kernel("no chain", "No such file or directory", _TABLES), linted=True)
EXISTS = _kernel("exists", "File exists", _TABLES)
CHAIN_OF_FAMILY = _kernel(
    "type of a chain", "Operation not supported", f"{_TABLES} nft_chain_parse_hook"
)
NAT_EARLY = _kernel("priority of nat", "Operation not supported", f"{_TABLES} nft_chain_parse_hook")
PLACE = _kernel("place", "Operation not supported", f"{_TABLES} nft_chain_validate_hooks")
JUMP_TO_BASE = _kernel(
    "jump to a base chain", "Operation not supported", f"{_TABLES} nft_verdict_init"
)
LOOP = replace(_kernel("loop", "Too many links", f"{_TABLES} nft_chain_validate"), linted=True)
BUSY = _kernel("in use", "Device or resource busy", _TABLES)
NO_TRACKING = _kernel(
    "connection tracking", "Protocol error", "net/netfilter/nf_conntrack_proto.c nf_ct_netns_get"
)
NO_FAMILY = _kernel(
    "family of an object",
    "Address family not supported by protocol",
    "net/netfilter/nft_ct.c nft_ct_helper_obj_init, nft_ct_expect_obj_init",
)
NOT_OF_FAMILY = _kernel(
    "not of the family", "No such file or directory", f"{_TABLES} nft_expr_type_get"
)
NO_ELEMENT = _kernel("no element", "No such file or directory", f"{_TABLES} nft_del_setelem")
SET_KIND = _kernel("kind of set", "Operation not supported", f"{_TABLES} nft_select_set_ops")
READ_ONLY = _kernel(
    "read only", "Operation not supported", "net/netfilter/nft_meta.c, net/netfilter/nft_ct.c"
)
TIMEOUT_FLAG = _kernel("timeout", "Operation not supported", "net/netfilter/nft_dynset.c")
CONSTANT_SET = _kernel("constant set", "Device or resource busy", "net/netfilter/nft_dynset.c")
LIMIT = _kernel(
    "limit", "Value too large for defined data type", "net/netfilter/nft_limit.c nft_limit_init"
)
INVALID = _kernel("invalid", "Invalid argument", _TABLES)
SIZE = _kernel("size", "Too many open files in system", f"{_TABLES} nft_add_set_elem")
DUPLICATE_KEY = _kernel("key twice", "File exists", f"{_TABLES} nft_add_set_elem")
SECURITY_PATH = _kernel(
    "depth of ipsec", "Numerical result out of range", "net/netfilter/nft_xfrm.c nft_xfrm_get_init"
)
PARTS_OVERLAP = replace(
    _kernel("overlap of parts", "File exists", "net/netfilter/nft_set_pipapo.c nft_pipapo_insert"),
    linted=True,
)
TIMEOUT = _kernel(
    "timeout too long", "Numerical result out of range", f"{_TABLES} nf_msecs_to_jiffies64"
)
TOO_LONG = _kernel("too long", "Numerical result out of range", f"{_TABLES} nft_rule_policy")

# -- by versions -----------------------------------------------------------------------------


def version(decided: str, stage: Stage) -> Check:
    """That a version does not have something yet: most often it does not know the word."""
    return Check("version", stage, "syntax error", decided)
