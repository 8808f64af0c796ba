"""Which language a text is in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Language:
    """A row: a text that ``pattern`` is found in is ``name``. It is compiled when it is asked: most
    texts are told by one of the first.

    ``advice`` is the command that gives what is needed instead; None for a
    language that is read here.
    """

    name: str
    pattern: str
    title: str = ""
    advice: str | None = None


IPTABLES_SAVE = "iptables-save"
IPTABLES_S = "iptables-S"
EMPTY = "empty"

_SAVE = "lint what `iptables-save` (for IPv6 `ip6tables-save`) prints"
_NFT = "where iptables made the rules (iptables-nft), " + _SAVE
NFT = "nft"
NFT_JSON = "nft-json"
IPSET_SAVE = "ipset-save"
SCRIPT = "script"
AWS_JSON = "aws-json"
CLOUDFORMATION = "cloudformation"
TERRAFORM = "terraform-json"
_CONVERT = "convert it first: `iconv -f utf-16 -t utf-8 FILE`"


# Possessive: for each line that could be given back something is kept, 200 bytes a line.
_AFTER_COMMENTS = r"\A(?:[ \t\r]*+(?:#.*+)?+\n)*+"
_TOOL = r"(?:sudo )?\"?(?:\S*/)?(?:ip6?tables(?:-legacy|-nft)?|\$\{?\"?IP6?T\w*\}?\"?)"
_TAKES_TEXT = r"(?:ip6?tables(?:-\w+)?-restore|nft -f -|ipset (?:-\S+ )?restore)(?: .*)?<<"
_BEGINS = (
    r"[ \t]*(?:(?:export[ \t]+|readonly[ \t]+)?[A-Za-z_]\w*=|\w+[ \t]*\(\)"
    r"|(?:set|echo|if|for|function|source|\.|\[)[ \t]+\S)"
)
"""A first line as only a shell takes it, where a command of iptables follows somewhere."""
_ADDS = r"(?:add|create|delete|destroy|insert|flush|list|-f) "

_RUN_BY = r"\A#!.*\bnft\b"
"""The kernel hands the file to nft, whatever its name."""

_LISTED_BY_AWS = (
    "SecurityGroups|NetworkAcls|Subnets|RouteTables|NetworkInterfaces|Reservations|PrefixLists"
    "|Entries"
)
"""The keys of what `aws ec2 describe-…` prints, as JSON or as YAML."""
_SHELL_VALUE = r"""(?>(?:[^\s"'#;&|()<>`]|"[^"]*"|'[^']*')*)"""
"""One word: behind a blank a command would follow."""

LANGUAGES = (
    Language("gzip", r"\A\x1f\udc8b", "a gzip archive", "unpack it first: `zcat FILE | iptlint -`"),
    Language("utf-16", r"\A(?:\udcff\udcfe|\udcfe\udcff|[^\0]\0[^\0]\0)", "UTF-16 text", _CONVERT),
    Language("binary", r"\0", "not text but binary data", _SAVE),
    Language(EMPTY, _AFTER_COMMENTS + r"[ \t\r]*(?:#.*)?\Z"),
    Language(NFT, _RUN_BY),
    Language(SCRIPT, r"\A#!.*\b(?:ba|da|k|z|a)?sh\b"),
    Language(SCRIPT, rf"^[ \t]*(?:sudo )?(?:\S*/)?{_TAKES_TEXT}"),
    Language(SCRIPT, rf"{_AFTER_COMMENTS}{_BEGINS}(?s:.*)^[ \t]*{_TOOL} +-"),
    Language(IPTABLES_SAVE, r"^\*[a-z]+[ \t\r]*$"),
    Language(NFT_JSON, r'\A\s*\{\s*"nftables"'),
    Language(AWS_JSON, rf'\A\s*\{{(?s:[^{{}}]*?)"(?:{_LISTED_BY_AWS})"\s*:\s*\['),
    Language(AWS_JSON, rf"\A(?:{_LISTED_BY_AWS}):[ \r]*\n- "),
    Language(TERRAFORM, r'\A\s*\{\s*"format_version"\s*:\s*"[^"]*"\s*,\s*"terraform_version"'),
    Language(
        "tfstate",
        r'\A\s*\{\s*"version"\s*:\s*\d+\s*,\s*"terraform_version"',
        "a state of Terraform as it is stored",
        "print it so: `terraform show -json > state.json`",
    ),
    Language(CLOUDFORMATION, r'\A\s*\{(?s:[^{}]{0,4000}?)"AWSTemplateFormatVersion"\s*:'),
    Language(CLOUDFORMATION, r'\A\s*\{(?s:.{0,4000}?)"Type"\s*:\s*"AWS::\w+::'),
    Language(CLOUDFORMATION, r"^AWSTemplateFormatVersion *:|^ +Type *: *[\"']?AWS::EC2::"),
    Language(
        "firewalld",
        r"\A\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--(?s:.)*?-->\s*)*)"
        r"<(?:zone|service|direct|policy|ipset|icmptype|helper)\b",
        "firewalld XML",
        "lint what firewalld makes of it: `nft list ruleset`, or `iptables-save` with its "
        "iptables backend",
    ),
    Language("xml", r"\A\s*<", "XML", _SAVE),
    Language(
        "iptables -L",
        r"^Chain \S+ \((?:policy \S+|\d+ references)",
        "an `iptables -L` listing, which leaves out interfaces and options",
        _SAVE,
    ),
    Language(
        "ufw status",
        r"\A\s*(?:Status: (?:in)?active|To\s+Action\s+From)",
        "a `ufw status` report",
        "lint /etc/ufw/user.rules, or what `iptables-save` prints",
    ),
    Language(
        "netsh",
        r"^(?:netsh |Rule Name: |advfirewall )",
        "a Windows firewall's rules",
        "iptlint reads Linux firewalls",
    ),
    Language(
        IPSET_SAVE,
        _AFTER_COMMENTS + r"[ \t]*(?:-exist |-! )?(?:create|-N|n) \S+ (?:hash|bitmap|list):",
    ),
    Language(
        NFT,
        r"^[ \t]*(?:(?:add|create|delete|destroy|insert|replace|flush|list|reset|rename) "
        r"(?:tables?|chains?|rules?|sets?|maps?|element|ruleset|flowtables?|meters?)\b"
        r"|table (?:(?:ip6?|inet|arp|bridge|netdev) )?[^\s{]+ *\{"
        r"|(?:define|redefine) \S+ *=|include [\"']"
        r"|type (?:filter|nat|route) hook \w+ )",
    ),
    Language(
        "nft list tables",
        r"\A(?>(?:table (?:ip6?|inet|arp|bridge|netdev) \S+\s*)+)\Z",
        "a list of nft tables",
        "see what is in them with `nft list ruleset`; " + _NFT,
    ),
    Language(IPSET_SAVE, _AFTER_COMMENTS + r"[ \t]*(?:-exist |-! )?(?:add|-A) [A-Za-z]\S* \d"),
    Language(IPSET_SAVE, _AFTER_COMMENTS + r"add \S+ \S"),
    Language(
        "ipfw",
        r"^(?:ipfw |\d{5} +(?:\d+ +\d+ +)?(?:allow|deny|count|reset)\b)",
        "ipfw rules of FreeBSD",
        "iptlint reads Linux firewalls",
    ),
    Language(IPTABLES_S, _AFTER_COMMENTS + r"-[ADIPNRXF][ \t]"),
    Language(SCRIPT, rf"^[ \t]*{_TOOL} +-"),
    Language(
        SCRIPT, rf"^[ \t]*(?:sudo )?(?:\S*/)?(?:nft {_ADDS}|ipset (?:-\S+ )?(?:create|add|-[NA]) )"
    ),
    Language(
        "pf.conf",
        r"^(?:block|pass|match)(?: (?:in|out|log|quick|all|drop|return|on)\b|$)"
        r"|^set skip on\b|^(?:nat|rdr) on\b|^scrub in\b",
        "a pf.conf, not rules of a Linux firewall",
        "iptlint reads Linux firewalls: " + _SAVE,
    ),
    Language(IPTABLES_SAVE, r"^(?:-[ADIPNRXF][ \t]|:\S+ |COMMIT$)"),
    Language(
        "variables",
        rf"{_AFTER_COMMENTS}(?>(?:[ \t\r]*(?:(?:export[ \t]+)?[A-Za-z_]\w*={_SHELL_VALUE})?"
        r"[ \t\r]*(?:#.*)?(?:\n|\Z))+)\Z",
        "a file of shell variables",
        "name the script or the rules that its values are for",
    ),
)

UNKNOWN = Language("unknown", "", "not a firewall's rules as far as can be told", _SAVE)


def detect(source: SourceFile) -> Language:
    """The first row that fits; where none does, nft if the file is named so, else ``UNKNOWN``."""
    if _SCRIPT_NAME.search(source.path) and _SHELL.search(source.text):
        return _NAMED_SCRIPT if _RUN_BY_NFT.match(source.text) is None else _NAMED_NFT
    named_nft = _NFT_NAME.search(source.path) is not None
    rows = (row for row in LANGUAGES if row.name != IPSET_SAVE or not named_nft)
    fitting = (row for row in rows if re.search(row.pattern, source.text, re.MULTILINE))
    return next(fitting, _NAMED_NFT if named_nft else UNKNOWN)


_FILLED_IN = r"(?:\.(?:j2|jinja2?|erb|epp|tmpl|tpl|tftpl|mustache|gotmpl))?$"
_NFT_NAME = re.compile(rf"\.nft{_FILLED_IN}|(^|/)nftables(\.conf)?{_FILLED_IN}")
_NAMED_NFT = Language(NFT, _NFT_NAME.pattern)
_RUN_BY_NFT = re.compile(_RUN_BY)
_SCRIPT_NAME = re.compile(r"\.(?:ba|da|k|z|a)?sh$")
_SHELL = re.compile(_AFTER_COMMENTS + r"[ \t]*[^\s#*:\0\x1f\udcff\udcfe][^\0]*\Z")
"""Not what a tool printed into a file of such a name."""
_NAMED_SCRIPT = Language(SCRIPT, _SCRIPT_NAME.pattern)
