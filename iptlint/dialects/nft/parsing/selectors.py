"""What a packet has, by the words that name it: one row a protocol, key or form.

``PATTERN`` is the terminal of the grammar that takes all words of a selector at once; so a
field that is no row here is no selector. Rows are those of nft 1.1; see nft(8), *PAYLOAD
EXPRESSIONS* and *PRIMARY EXPRESSIONS*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from iptlint.dialects.nft.expressions import (
    Ct,
    ExtensionHeader,
    Fib,
    Fingerprint,
    Hash,
    HeaderOption,
    Ipsec,
    Meta,
    Numgen,
    Payload,
    RawOption,
    RawPayload,
    Routing,
    Selector,
    Socket,
    TunnelKey,
)
from iptlint.model.numbers import c_number

HEADERS = {
    "ether": "saddr daddr type",
    "vlan": "id cfi dei pcp type",
    "arp": "htype ptype hlen plen operation",
    "ip": "version hdrlength dscp ecn length id frag-off ttl protocol checksum saddr daddr",
    "icmp": "type code checksum id sequence gateway mtu",
    "igmp": "type checksum mrt group",
    "ip6": "version dscp ecn flowlabel length nexthdr hoplimit saddr daddr",
    "icmpv6": "type code checksum parameter-problem mtu id sequence max-delay taddr daddr",
    "ah": "nexthdr hdrlength reserved spi sequence",
    "esp": "spi sequence",
    "comp": "nexthdr flags cpi",
    "udp": "sport dport length checksum",
    "udplite": "sport dport csumcov checksum",
    "tcp": "sport dport sequence ackseq doff reserved flags window checksum urgptr",
    "dccp": "sport dport type",
    "sctp": "sport dport vtag checksum",
    "th": "sport dport",
    "gre": "version flags protocol",
    "vxlan": "vni flags",
    "geneve": "vni type",
}
"""Header fields by protocol."""

ARP_ADDRESSES = ("saddr ether", "daddr ether", "saddr ip", "daddr ip")

TUNNELS = ("vxlan", "geneve", "gretap", "gre")
"""Protocols that another header may follow in the same expression."""

EXTENSION_HEADERS = {
    "hbh": "nexthdr hdrlength",
    "rt": "nexthdr hdrlength type seg-left",
    "rt2": "addr",
    "srh": "last-entry flags tag",
    "frag": "nexthdr reserved frag-off reserved2 more-fragments id",
    "dst": "nexthdr hdrlength",
    "mh": "nexthdr hdrlength type reserved checksum",
}
INDEXED_HEADERS = {"rt0": "addr", "srh": "sid"}

IP_OPTIONS = "lsrr rr ssrr ra"
IP_OPTION_FIELDS = "type length value ptr addr"

TCP_OPTIONS = {
    "echo": "",
    "eol": "",
    "fastopen": "",
    "md5sig": "",
    "mptcp": "subtype",
    "maxseg": "size",
    "mss": "size",
    "nop": "",
    "noop": "",
    "sack": "left right",
    "sack0": "left right",
    "sack1": "left right",
    "sack2": "left right",
    "sack3": "left right",
    "sack-permitted": "",
    "sack-perm": "",
    "timestamp": "tsval tsecr",
    "window": "count",
}
"""Fields by option; every option also has a kind and a length."""

SCTP_CHUNKS = {
    "data": "tsn stream ssn ppid",
    "init": "init-tag a-rwnd num-outbound-streams num-inbound-streams initial-tsn",
    "init-ack": "init-tag a-rwnd num-outbound-streams num-inbound-streams initial-tsn",
    "sack": "cum-tsn-ack a-rwnd num-gap-ack-blocks num-dup-tsns",
    "heartbeat": "",
    "heartbeat-ack": "",
    "abort": "",
    "shutdown": "cum-tsn-ack",
    "shutdown-ack": "",
    "error": "",
    "cookie-echo": "",
    "cookie-ack": "",
    "ecne": "lowest-tsn",
    "cwr": "lowest-tsn",
    "shutdown-complete": "",
    "asconf-ack": "seqno",
    "forward-tsn": "new-cum-tsn",
    "asconf": "seqno",
}
"""Fields by chunk; every chunk also has those of ``SCTP_CHUNK_FIELDS``."""
SCTP_CHUNK_FIELDS = "type flags length"

OPTION_FIELDS = frozenset(
    " ".join((IP_OPTION_FIELDS, *TCP_OPTIONS.values(), *TCP_OPTIONS, *SCTP_CHUNKS.values())).split()
)

META_UNQUALIFIED = (
    "mark iif iifname iiftype oif oifname oiftype skuid skgid nftrace rtclassid ibriport "
    "obriport ibrname obrname pkttype cpu iifgroup oifgroup cgroup ipsec time day hour"
)
"""Keys that may stand without ``meta``."""

META_QUALIFIED = (
    "length protocol priority random secmark l4proto nfproto prandom secpath iifkind oifkind "
    "ibrpvid ibrvproto ibrhwdr ibrhwaddr sdif sdifname broute"
)

CT_KEYS = (
    "l3proto protocol mark state direction status expiration helper saddr daddr proto-src "
    "proto-dst label event secmark id bytes packets avgpkt zone"
)
CT_DIRECTED = "saddr daddr l3proto protocol proto-src proto-dst bytes packets avgpkt zone"
CT_SET_ONLY = "timeout expectation"

ROUTING_KEYS = "classid nexthop mtu ipsec"
SOCKET_KEYS = "transparent mark wildcard"
FIB_FLAGS = "saddr daddr mark iif oif"
FIB_RESULTS = "oif oifname type check"
TUNNEL_KEYS = "id path"

Groups = dict[str, str]
"""The named parts of a selector as written."""


def _number(text: str | None) -> int | None:
    return None if text is None else c_number(text)


def _given(text: str) -> int:
    """Of a text that the pattern of a number has taken."""
    return c_number(text) or 0


def _words(text: str) -> str:
    """A pattern that takes any of the words, the longest first."""
    return "|".join(sorted((re.escape(word) for word in text.split()), key=len, reverse=True))


def _fields(rows: dict[str, str], every: str = "") -> str:
    pairs = (
        rf"(?:{re.escape(name)})(?: (?:{_words(f'{fields} {every}')}))?"
        if f"{fields}{every}"
        else re.escape(name)
        for name, fields in sorted(rows.items(), key=lambda row: len(row[0]), reverse=True)
    )
    return "|".join(pairs)


def _header(rows: dict[str, str]) -> str:
    return "|".join(f"{name} (?:{_words(fields)})" for name, fields in rows.items())


def _two(text: str) -> tuple[str, str | None]:
    first, _, second = text.partition(" ")
    return first, second or None


def _payload(g: Groups) -> Selector:
    protocol, _, field = g["header"].partition(" ")
    return Payload(protocol, field, g.get("tunnel"))


def _option(protocol: str) -> Callable[[Groups], Selector]:
    return lambda g: HeaderOption(protocol, *_two(g["option"]))


_INNER = {name: HEADERS[name] for name in HEADERS if name not in TUNNELS}
_OFFSET = r"(?: offset (?P<offset>{n}))?"

_FORMS: tuple[tuple[str, Callable[[Groups], Selector]], ...] = (
    (
        rf"(?P<tunnel>{'|'.join(TUNNELS)}) (?P<header>{_header(_INNER)})",
        _payload,
    ),
    (rf"(?P<header>arp (?:{'|'.join(ARP_ADDRESSES)}))", _payload),
    (rf"(?P<header>{_header(HEADERS)})", _payload),
    (
        r"@(?P<base>ll|nh|th|ih)_?,_?(?P<at>{n})_?,_?(?P<bits>{n})",
        lambda g: RawPayload(g["base"], _given(g["at"]), _given(g["bits"])),
    ),
    (
        rf"ip option (?P<option>(?:{_words(IP_OPTIONS)})(?: (?:{_words(IP_OPTION_FIELDS)}))?)",
        _option("ip"),
    ),
    (
        rf"tcp option (?P<option>{_fields(TCP_OPTIONS, 'length kind')}|{{n}}(?: length)?)",
        _option("tcp"),
    ),
    (
        rf"tcp option @_?(?P<kind>{{n}}|{_words(' '.join(TCP_OPTIONS))})"
        r"_?,_?(?P<at>{n})_?,_?(?P<bits>{n})",
        lambda g: RawOption(g["kind"], _given(g["at"]), _given(g["bits"])),
    ),
    (rf"sctp chunk (?P<option>{_fields(SCTP_CHUNKS, SCTP_CHUNK_FIELDS)})", _option("sctp")),
    (r"dccp option (?P<option>25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9]?[0-9])", _option("dccp")),
    (
        rf"(?P<header>{_header(EXTENSION_HEADERS)})",
        lambda g: ExtensionHeader(*_two(g["header"])),
    ),
    (
        rf"(?P<header>{_header(INDEXED_HEADERS)})_?\[_?(?P<index>{{n}})_?\]",
        lambda g: ExtensionHeader(*_two(g["header"]), _number(g["index"])),
    ),
    (
        r"exthdr (?P<header>hbh|rt|frag|dst|mh)",
        lambda g: ExtensionHeader(g["header"]),
    ),
    (
        rf"meta (?P<key>{_words(f'{META_QUALIFIED} {META_UNQUALIFIED}')})",
        lambda g: Meta(g["key"]),
    ),
    (
        rf"ct (?P<key>{_words(CT_KEYS)}|(?:{_words(CT_SET_ONLY)}){{before_set}})",
        lambda g: Ct(g["key"]),
    ),
    (
        rf"ct (?P<direction>original|reply) (?P<key>{_words(CT_DIRECTED)})",
        lambda g: Ct(g["key"], g["direction"]),
    ),
    (
        r"ct (?P<direction>original|reply) (?P<family>ip6?) (?P<key>saddr|daddr)",
        lambda g: Ct(g["key"], g["direction"], g["family"]),
    ),
    (
        rf"rt (?:(?P<family>ip6?) )?(?P<key>{_words(ROUTING_KEYS)})",
        lambda g: Routing(g["key"], g.get("family")),
    ),
    (
        rf"socket (?P<key>{_words(SOCKET_KEYS)}|cgroupv2 level (?P<level>{{n}}))",
        lambda g: Socket(g["key"].split()[0], _number(g.get("level"))),
    ),
    (
        r"osf (?:ttl (?P<ttl>loose|skip) )?(?P<key>name|version)",
        lambda g: Fingerprint(g["key"], g.get("ttl")),
    ),
    (
        rf"fib (?P<flags>(?:{_words(FIB_FLAGS)})(?:_?\._?(?:{_words(FIB_FLAGS)}))*)"
        rf" (?P<result>{_words(FIB_RESULTS)})",
        lambda g: Fib(tuple(re.findall(r"\w+", g["flags"])), g["result"]),
    ),
    (
        r"ipsec (?P<direction>in|out)(?: spnum (?P<spnum>{n}))?"
        r" (?:(?P<family>ip6?) (?=[sd]addr))?(?P<key>spi|reqid|saddr|daddr)",
        lambda g: Ipsec(g["direction"], g["key"], g.get("family"), _number(g.get("spnum"))),
    ),
    (rf"tunnel (?P<key>{_words(TUNNEL_KEYS)})", lambda g: TunnelKey(g["key"])),
    (
        rf"numgen (?P<mode>inc|random) mod (?P<modulus>{{n}}){_OFFSET}",
        lambda g: Numgen(g["mode"], _given(g["modulus"]), _number(g.get("offset"))),
    ),
    (
        rf"symhash mod (?P<modulus>{{n}}){_OFFSET}",
        lambda g: Hash("symhash", None, _given(g["modulus"]), None, _number(g.get("offset"))),
    ),
    (rf"(?P<key>{_words(META_UNQUALIFIED)})", lambda g: Meta(g["key"])),
)
"""A blank stands for blanks, ``_?`` for blanks or none, ``{n}`` for a number.

The first row that fits is taken, so what another row begins with stands after it.
"""

WORD_CHARACTERS = r"A-Za-z0-9_./\-"
_BLANK = r"(?:[ \t]|\\\n)"


def _regex(form: str, before_set: str = "") -> str:
    form = form.replace("{before_set}", before_set)
    number = r"(?:0[xX][0-9a-fA-F]+|(?:0[0-7]*|[1-9][0-9]*)(?![0-9]))"
    spelled = form.replace("{n}", number).replace("_?", f"{_BLANK}*")
    # Only blanks that stand for themselves are left; those in the class are escaped as \x20.
    return re.sub(r"(?<!\[) ", lambda _: f"{_BLANK}+", spelled)


def _anonymous(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def _alternatives() -> Iterable[str]:
    # A regular expression takes the first alternative that fits, nft the longest one.
    return (_anonymous(_regex(form, r"(?= set\b)")) for form, _ in _FORMS)


_END = rf"(?![{WORD_CHARACTERS}])"
PATTERN = "(?:" + "|".join(f"(?:{each}){_END}" for each in _alternatives()) + ")"


@cache
def selector(text: str) -> Selector:
    """The node for the words of a selector, without its place in a text."""
    for pattern, build in _compiled():
        match = pattern.fullmatch(text)
        if match:
            groups = {name: _tidy(part) for name, part in match.groupdict().items() if part}
            return build(groups)
    raise ValueError(text)


def _tidy(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], Callable[[Groups], Selector]], ...]:
    return tuple((re.compile(_regex(form)), build) for form, build in _FORMS)


def fields_after(word: str) -> tuple[str, ...]:
    """What may follow the first word of a selector, for a message that says so."""
    rows = {
        **HEADERS,
        **EXTENSION_HEADERS,
        "ip": f"{HEADERS['ip']} option",
        "tcp": f"{HEADERS['tcp']} option",
        "sctp": f"{HEADERS['sctp']} chunk",
        "dccp": f"{HEADERS['dccp']} option",
        "meta": f"{META_QUALIFIED} {META_UNQUALIFIED}",
        "ct": f"{CT_KEYS} original reply",
        "rt": f"{EXTENSION_HEADERS['rt']} {ROUTING_KEYS}",
        "socket": f"{SOCKET_KEYS} cgroupv2",
        "fib": FIB_FLAGS,
        "osf": "name version ttl",
        "tunnel": TUNNEL_KEYS,
    }
    return tuple(rows.get(word, "").split())


FIRST_WORDS = tuple(
    dict.fromkeys(
        (
            *HEADERS,
            *EXTENSION_HEADERS,
            *META_UNQUALIFIED.split(),
            *("meta", "ct", "socket", "osf", "fib", "numgen", "jhash", "symhash", "exthdr"),
        )
    )
)
"""Words that begin a selector."""
