"""Every target. A row: its options, where it may stand, and what it does with the packets.

``tables`` and ``chains`` are those the kernel module registers (net/netfilter/xt_*.c).
"""

from __future__ import annotations

import re

from iptlint.dialects import verdict_words
from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions import (
    addresses,
    nat_targets,
    queue_targets,
    rewriting_targets,
    sets,
    timed_targets,
    values,
)
from iptlint.dialects.iptables.extensions.builders import (
    IP6_ONLY,
    IP_ONLY,
    at_most_one,
    goes_on,
    just_one,
    opt,
    row,
    value_of,
    verdict,
    write,
)
from iptlint.dialects.iptables.extensions.places import OUTGOING, chains_with
from iptlint.dialects.iptables.extensions.rewriting_targets import mark_pair
from iptlint.dialects.iptables.extensions.row import (
    Extension,
    ExtensionResult,
    Lower,
    Option,
    Uses,
    Value,
)
from iptlint.model import Effect, EffectKind, Family, Field, VerdictKind
from iptlint.model.numbers import decimal, hexadecimal

# -- verdicts -----------------------------------------------------------------

_REJECT_V4 = {
    "net-unreach": "icmp-net-unreachable",
    "host-unreach": "icmp-host-unreachable",
    "proto-unreach": "icmp-proto-unreachable",
    "port-unreach": "icmp-port-unreachable",
    "net-prohib": "icmp-net-prohibited",
    "host-prohib": "icmp-host-prohibited",
    "tcp-rst": "tcp-reset",
    "admin-prohib": "icmp-admin-prohibited",
}
_REJECT_V6 = {
    "no-route": "icmp6-no-route",
    "adm-prohibited": "icmp6-adm-prohibited",
    "addr-unreach": "icmp6-addr-unreachable",
    "port-unreach": "icmp6-port-unreachable",
    "tcp-reset": "tcp-reset",
    "policy-fail": "icmp6-policy-fail",
    "reject-route": "icmp6-reject-route",
}


def _reject_with(aliases: dict[str, str]) -> Value:
    """A type or its alias, in any case; both may be cut short."""
    names: dict[str, str] = {name: name for name in aliases.values()} | aliases

    def read(text: str, _: Family) -> str:
        for name, meaning in names.items():
            if name.startswith(text.lower()):
                return meaning
        raise InvalidValueError("one of " + ", ".join(dict.fromkeys(names.values())))

    return read


def _reject(aliases: dict[str, str], default: str, family: tuple[Family, ...]) -> Extension:
    return row(
        "REJECT",
        opt("reject-with", _reject_with(aliases)),
        lower=verdict(
            VerdictKind.REJECT,
            "REJECT",
            defaults=(f"--reject-with {default}",),
            words=lambda uses: verdict_words.answer(str(value_of(uses, "reject-with") or default)),
        ),
        families=family,
        tables="filter",
        chains="INPUT FORWARD OUTPUT",
    )


def _synproxy(uses: Uses) -> str:
    mss, wscale = (str(value_of(uses, name) or "") for name in ("mss", "wscale"))
    flags = [name for name in ("sack-perm", "timestamp", "ecn") if name in uses]
    return verdict_words.synproxy(mss, wscale, flags)


# -- connection tracking -----------------------------------------------------


def _lower_ct(uses: Uses, family: Family) -> ExtensionResult:
    if "notrack" in uses:
        return goes_on("CT", Effect(EffectKind.NOTRACK))(uses, family)
    zone = value_of(uses, "zone")
    if zone is not None and zone != "mark":
        return goes_on("CT", Effect(EffectKind.ZONE, value=decimal(str(zone)) or 0))(uses, family)
    # Of one direction only, or the packet's mark says which.
    unknown = [name for name in ("zone", "zone-orig", "zone-reply") if name in uses]
    return goes_on("CT", *(Effect(EffectKind.ZONE) for _ in unknown[:1]))(uses, family)


_CT_EVENTS = (
    *("new", "related", "destroy", "reply", "assured"),
    *("protoinfo", "helper", "mark", "natseqinfo", "secmark"),
)


def _zone(text: str, _: Family) -> str:
    return text if text == "mark" else str(values.integer(text, 0, 65535))


# -- logs ---------------------------------------------------------------------

_LEVELS = {"emerg": 0, "panic": 0, "alert": 1, "crit": 2, "error": 3, "warning": 4}
_LEVELS |= {"notice": 5, "info": 6, "debug": 7}
log_level = values.named_number(_LEVELS, 0, 7, "a log level (debug … emerg)")


def _log(name: str, prefix: str, *defaults: str) -> Lower:
    """LOG, NFLOG and ULOG; ``defaults`` are options iptables-save leaves out."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        text = str(value_of(uses, prefix) or "")
        effect = Effect(EffectKind.LOG, name=text, to_program=name != "LOG")
        return goes_on(name, effect, defaults=defaults)(uses, family)

    return lower


# -- the rest -----------------------------------------------------------------

_TCP_OPTIONS = {"wscale": 3, "mss": 2, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}


def _tcp_option(text: str, _: Family) -> int:
    number = _TCP_OPTIONS.get(text)
    if number is None:
        number = values.integer(text, 0, 255)
    if number < 2:
        raise InvalidValueError("a tcp option from 2 to 255 or its name", refused=True)
    return number


def _to_somebody(uses: Uses, family: Family) -> InvalidValueError | None:
    """tee_tg_check of net/netfilter/xt_TEE.c."""
    if value_of(uses, "gateway") != addresses.show_address(0, family):
        return None
    return InvalidValueError("a gateway that is not the address 0", fate=Fate.AT_COMMIT)


def _class(text: str, _: Family) -> str:
    """As scanf reads it: the last bits of each count, and what follows does not."""
    match = re.match(rf"\s*{_SCANNED}:\s*{_SCANNED}", text)
    if match is None:
        raise InvalidValueError("a class major:minor")
    signs, digits = match.groups()[::2], match.groups()[1::2]
    numbers = (hexadecimal(part) or 0 for part in digits)
    signed = (-n if sign == "-" else n for n, sign in zip(numbers, signs, strict=True))
    return ":".join(f"{number & 0xFFFF:x}" for number in signed)


_SCANNED = "([+-]?)(?:0[xX])?([0-9a-fA-F]+)"


def _tproxy(uses: Uses, family: Family) -> ExtensionResult:
    """Hands the packet to a local socket or drops it, as sockets then are: decided elsewhere."""
    value, mask = mark_pair(value_of(uses, "tproxy-mark") or (0, 0))
    effect = write(Field.MARK, mask, value & mask)
    return verdict(VerdictKind.QUEUE, "TPROXY", effect)(uses, family)


def _plain(name: str, kind: VerdictKind, tables: str = "") -> Extension:
    return row(name, lower=verdict(kind, name), tables=tables)


def _addon(name: str, kind: VerdictKind, options: str = "", flags: str = "") -> Extension:
    """A target from outside the kernel tree; arguments are not judged."""
    rows: list[tuple[Option, ...]] = [opt(o, values.anything) for o in options.split()]
    tables = "nat" if kind is VerdictKind.NAT else ""
    every = (*rows, *(opt(o) for o in flags.split()))
    return row(name, *every, lower=verdict(kind, name), tables=tables)


_FILTERING = "filter mangle raw security"
"""iptables refuses DROP in nat: the table is not intended for filtering."""

_SECURITY = "mangle security"
_NOT_LOCAL_IN = "FORWARD OUTPUT POSTROUTING"

ROWS: tuple[Extension, ...] = (
    *nat_targets.ROWS,
    *rewriting_targets.ROWS,
    _plain("ACCEPT", VerdictKind.ACCEPT),
    _plain("DROP", VerdictKind.DROP, _FILTERING),
    _plain("RETURN", VerdictKind.RETURN),
    _reject(_REJECT_V4, "icmp-port-unreachable", IP_ONLY),
    _reject(_REJECT_V6, "icmp6-port-unreachable", IP6_ONLY),
    *queue_targets.ROWS,
    *timed_targets.ROWS,
    row(
        "TPROXY",
        opt("on-port", addresses.resolved_port, req=True),
        opt("on-ip", addresses.host),
        opt("tproxy-mark", values.value_mask(32)),
        lower=_tproxy,
        tables="mangle",
        chains="PREROUTING",
    ),
    row(
        # It answers or swallows handshakes and lets the rest go on.
        "SYNPROXY",
        opt("sack-perm"),
        opt("timestamp"),
        opt("ecn"),
        opt("wscale", values.low_bits(8)),
        opt("mss", values.low_bits(16)),
        lower=verdict(VerdictKind.UNKNOWN, "SYNPROXY", words=_synproxy),
        chains="INPUT FORWARD",
    ),
    row(
        "CLUSTERIP",
        opt("new"),
        opt(
            "hashmode",
            values.one_of("sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"),
        ),
        opt("clustermac", addresses.mac),
        opt("total-nodes", values.number(16, 1)),
        opt("local-node", values.number(16, 1)),
        opt("hash-init", values.bits(32)),
        lower=verdict(VerdictKind.UNKNOWN, "CLUSTERIP"),
        families=IP_ONLY,
        tables="filter",
        chains="INPUT",
    ),
    row(
        "LOG",
        opt("log-level", log_level),
        opt("log-prefix", values.up_to(29, "log prefix")),
        *(
            opt(f"log-{name}")
            for name in ("tcp-sequence", "tcp-options", "ip-options", "uid", "macdecode")
        ),
        lower=_log("LOG", "log-prefix", "--log-level 4"),
    ),
    row(
        "NFLOG",
        opt("nflog-group", values.bits(16)),
        opt("nflog-prefix", values.up_to(63, "log prefix", variant="legacy")),
        opt("nflog-range", values.bits(32)),
        opt("nflog-size", values.bits(32)),
        opt("nflog-threshold", values.bits(16)),
        lower=at_most_one(
            "nflog-range",
            "nflog-size",
            then=_log("NFLOG", "nflog-prefix", "--nflog-group 0"),
        ),
    ),
    row(
        "ULOG",
        opt("ulog-nlgroup", values.number(32, 1)),
        opt("ulog-prefix", values.up_to(31, "log prefix")),
        opt("ulog-cprange", values.bits(64)),
        opt("ulog-qthreshold", values.number(50, 1)),
        lower=_log("ULOG", "ulog-prefix", "--ulog-nlgroup 1", "--ulog-qthreshold 1"),
        families=IP_ONLY,
    ),
    row(
        "CT",
        opt("notrack"),
        opt("helper", values.anything),
        opt("timeout", values.anything),
        opt("ctevents", values.list_of(values.exactly(*_CT_EVENTS))),
        opt("expevents", values.list_of(values.exactly("new"))),
        *(opt(name, _zone) for name in ("zone", "zone-orig", "zone-reply")),
        lower=_lower_ct,
        tables="raw",
    ),
    row(
        "NOTRACK",
        lower=goes_on("NOTRACK", Effect(EffectKind.NOTRACK)),
        tables="raw",
    ),
    sets.TARGET,
    row(
        "TEE",
        opt("gateway", addresses.host, req=True),
        opt("oif", values.interface),
        lower=goes_on("TEE"),
        checks=(_to_somebody,),
    ),
    row("TRACE", lower=goes_on("TRACE"), legacy_tables="raw"),
    row(
        "AUDIT",
        opt("type", values.one_of("accept", "drop", "reject"), req=True),
        lower=goes_on("AUDIT"),
    ),
    row(
        "TCPMSS",
        opt("set-mss", values.number(65515)),
        opt("clamp-mss-to-pmtu"),
        lower=just_one("set-mss", "clamp-mss-to-pmtu", then=goes_on("TCPMSS")),
        chains_for=chains_with(clamp_mss_to_pmtu=OUTGOING),
    ),
    row(
        "TCPOPTSTRIP",
        opt("strip-options", values.list_of(_tcp_option)),
        lower=goes_on("TCPOPTSTRIP"),
        tables="mangle",
    ),
    row(
        "CLASSIFY",
        opt("set-class", _class, req=True),
        lower=goes_on("CLASSIFY"),
        chains=_NOT_LOCAL_IN,
    ),
    row("CHECKSUM", opt("checksum-fill", req=True), lower=goes_on("CHECKSUM"), tables="mangle"),
    row(
        "SECMARK",
        opt("selctx", values.filled, req=True),
        lower=goes_on("SECMARK"),
        tables=_SECURITY,
    ),
    row(
        "CONNSECMARK",
        opt("save"),
        opt("restore"),
        lower=just_one("save", "restore", then=goes_on("CONNSECMARK")),
        tables=_SECURITY,
    ),
    row(
        "LED",
        opt("led-trigger-id", values.up_to(17, "trigger id"), req=True),
        opt("led-delay", values.anything),
        opt("led-always-blink"),
        lower=goes_on("LED"),
    ),
    # xtables-addons and older out-of-tree targets.
    _addon("TARPIT", VerdictKind.DROP, flags="tarpit honeypot reset"),
    _addon("DELUDE", VerdictKind.DROP),
    _addon("CHAOS", VerdictKind.DROP, flags="delude tarpit"),
    _addon("STEAL", VerdictKind.DROP),
    _addon("ECHO", VerdictKind.DROP),
    _addon("MIRROR", VerdictKind.DROP),
    _addon("ACCOUNT", VerdictKind.CONTINUE, "addr tname"),
    _addon("IMQ", VerdictKind.CONTINUE, "todev"),
    _addon("LOGMARK", VerdictKind.CONTINUE, "log-level log-prefix", "log-nfmark"),
    _addon("NETFLOW", VerdictKind.CONTINUE),
    _addon("DHCPMAC", VerdictKind.CONTINUE, "set-mac"),
    _addon("RAWDNAT", VerdictKind.CONTINUE, "to-destination"),
    _addon("RAWSNAT", VerdictKind.CONTINUE, "to-source"),
    _addon("FULLCONENAT", VerdictKind.NAT, "to-ports to-source to-destination", "random"),
    _addon("SAME", VerdictKind.NAT, "to", "nodst random"),
    _addon("BALANCE", VerdictKind.NAT, "to-destination"),
    _addon("SYSRQ", VerdictKind.UNKNOWN),
    _addon("PROTO", VerdictKind.CONTINUE, "proto-set", "stop-at-frag stop-at-auth"),
    _addon("ndpi", VerdictKind.CONTINUE, "value", "ndpi-id set-mark"),
)
