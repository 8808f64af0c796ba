"""Targets of iptables: a row for each, that says what nft does instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from iptlint.convert.asking import Asking, Done, Target, Targets
from iptlint.convert.marks import MARKS
from iptlint.convert.translations import TRANSLATIONS
from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.values import PROTOCOL_NAMES, NoFormError, quoted
from iptlint.model import Effect


def _plain(words: str) -> Target:
    return lambda *_: Done(words)


def _no_form(why: str) -> Target:
    def row(*_: object) -> Done:
        raise NoFormError(why)

    return row


# -- answers ------------------------------------------------------------------------------------

_ANSWERS = {
    "icmp-net-unreachable": "icmp net-unreachable",
    "icmp-host-unreachable": "icmp host-unreachable",
    "icmp-proto-unreachable": "icmp prot-unreachable",
    "icmp-net-prohibited": "icmp net-prohibited",
    "icmp-host-prohibited": "icmp host-prohibited",
    "icmp-admin-prohibited": "icmp admin-prohibited",
    "icmp6-no-route": "icmpv6 no-route",
    "icmp6-adm-prohibited": "icmpv6 admin-prohibited",
    "icmp6-addr-unreachable": "icmpv6 addr-unreachable",
    "icmp6-policy-fail": "icmpv6 policy-fail",
    "icmp6-reject-route": "icmpv6 reject-route",
    "tcp-reset": "tcp reset",
}
"""What is not port-unreachable, which both send where nothing else is said."""


def _reject(uses: Uses, *_: object) -> Done:
    answer = _ANSWERS.get(str(value_of(uses, "reject-with") or ""))
    if answer is None:
        return Done("reject")
    protocol, _space, reason = answer.partition(" ")
    return Done(f"reject with {protocol} {'reset' if protocol == 'tcp' else f'type {reason}'}")


# -- logs ---------------------------------------------------------------------------------------

_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_FLAGS = {
    "log-tcp-sequence": "tcp sequence",
    "log-tcp-options": "tcp options",
    "log-ip-options": "ip options",
    "log-uid": "skuid",
    "log-macdecode": "ether",
}


def _prefix(text: object) -> str:
    return "" if text is None else f" prefix {quoted(str(text), 'the prefix of the log')}"


def _log(uses: Uses, *_: object) -> Done:
    level = value_of(uses, "log-level")
    named = "" if level in (None, 4) else f" level {_LEVELS[cast(int, level)]}"
    flags = [word for option, word in _FLAGS.items() if option in uses]
    if flags[:2] == ["tcp sequence", "tcp options"]:
        flags[:2] = ["tcp sequence,options"]
    shown = "".join(f" flags {word}" for word in flags)
    if len(flags) >= len(_FLAGS) - 1 and len({*_FLAGS} & {*uses}) == len(_FLAGS):
        shown = " flags all"
    return Done(f"log{_prefix(value_of(uses, 'log-prefix'))}{named}{shown}")


_PROGRAM = {"nflog-size": "snaplen", "nflog-threshold": "queue-threshold"}


def _to_program(uses: Uses, *_: object) -> Done:
    """--nflog-range never did anything (libxt_NFLOG(8)); a size or a threshold of 0 and 1 is what
    goes without saying."""
    group = value_of(uses, "nflog-group") or 0
    numbers = [
        f" {word} {value_of(uses, option)}" for option, word in _PROGRAM.items() if option in uses
    ]
    return Done(f"log{_prefix(value_of(uses, 'nflog-prefix'))} group {group}{''.join(numbers)}")


# -- queues, copies -------------------------------------------------------------------------------


def _queue(uses: Uses, *_: object) -> Done:
    numbers = str(value_of(uses, "queue-balance") or value_of(uses, "queue-num") or 0)
    words = {"queue-bypass": "bypass", "queue-cpu-fanout": "fanout"}
    flags = ",".join(word for option, word in words.items() if option in uses)
    return Done(f"queue num {numbers.replace(':', '-')} {flags}".rstrip())


def _copy(uses: Uses, asking: Asking, _: Sequence[Effect]) -> Done:
    device = value_of(uses, "oif")
    where = "" if device is None else f" device {quoted(str(device), 'the name of an interface')}"
    return Done(f"dup to {value_of(uses, 'gateway')}{where}")


def _synproxy(uses: Uses, *_: object) -> Done:
    words = [f"{name} {value_of(uses, name)}" for name in ("mss", "wscale") if name in uses]
    words += [name for name in ("timestamp", "sack-perm") if name in uses]
    if "ecn" in uses:
        raise NoFormError("nft's synproxy knows nothing of ECN")
    return Done(" ".join(("synproxy", *words)))


def _tproxy(uses: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    """xt_TPROXY drops what no socket is there for; nft goes on behind the rule."""
    from iptlint.convert.marks import changed

    address = str(value_of(uses, "on-ip") or "")
    if address in ("0.0.0.0", "::"):
        address = ""
    shown = f"[{address}]" if ":" in address else address
    (mark,) = effects
    marked = ""
    if mark.mask or mark.value:
        marked = f" {changed('meta mark', mark.mask or 0, mark.value or 0)}"
    port = value_of(uses, "on-port") or ""
    return Done(f"tproxy {asking.to_family}to {shown}:{port}{marked} accept", instead="drop")


# -- connection tracking --------------------------------------------------------------------------

_EVENTS = {"natseqinfo": "seqadj"}


def _connection(uses: Uses, asking: Asking, _: Sequence[Effect]) -> Done:
    if asking.tracked:
        return _helper(uses, asking)
    for option in ("timeout", "expevents"):
        if option in uses:
            raise NoFormError(f"iptlint writes nothing for --{option}")
    words = [row(str(value)) for option, row in _ZONES.items() if (value := value_of(uses, option))]
    if "notrack" in uses:
        words.append("notrack")
    if "ctevents" in uses:
        names = cast("tuple[object, ...]", value_of(uses, "ctevents"))
        if "helper" in names:
            raise NoFormError("nft takes `helper` for no name of an event")
        words.append(f"ct event set {','.join(_EVENTS.get(str(n), str(n)) for n in names)}")
    return Done(" ".join(words))


def _helper(uses: Uses, asking: Asking) -> Done:
    """An object says which one, for the protocol of the rule (xt_ct_set_helper wants one)."""
    name, protocol = str(value_of(uses, "helper")), PROTOCOL_NAMES.get(asking.protocol or 0)
    if protocol not in ("tcp", "udp"):
        raise NoFormError("nft has helpers for connections of tcp and udp")
    body = (f"type {quoted(name, 'the name of a helper')} protocol {protocol};",)
    declared = asking.declarations.declare(
        "ct helper", f"{name}_{protocol}", (name, protocol), body
    )
    return Done(f'ct helper set "{declared}"')


def _zone(direction: str) -> Callable[[str], str]:
    return lambda text: f"ct {direction}zone set {'meta mark' if text == 'mark' else text}"


_ZONES = {"zone": _zone(""), "zone-orig": _zone("original "), "zone-reply": _zone("reply ")}


# -- the rest ----------------------------------------------------------------------


def _strip(uses: Uses, *_: object) -> Done:
    numbers = cast("tuple[object, ...]", value_of(uses, "strip-options") or ())
    return Done(" ".join(f"reset tcp option {number}" for number in numbers) or "counter")


_IS_NOT_THERE = "nft has nothing like it"

TARGETS: Targets = {
    "ACCEPT": _plain("accept"),
    "DROP": _plain("drop"),
    "RETURN": _plain("return"),
    "REJECT": _reject,
    "LOG": _log,
    "NFLOG": _to_program,
    "QUEUE": _plain("queue num 0"),
    "NFQUEUE": _queue,
    "TEE": _copy,
    "SYNPROXY": _synproxy,
    "TPROXY": _tproxy,
    "NOTRACK": _plain("notrack"),
    "CT": _connection,
    "TRACE": _plain("meta nftrace set 1"),
    "AUDIT": _plain("log level audit"),
    "CLASSIFY": lambda uses, *_: Done(f"meta priority set {value_of(uses, 'set-class')}"),
    "TCPOPTSTRIP": _strip,
    "CONNSECMARK": _no_form("nft writes over a secmark that is there, and cannot ask for none"),
    "CHECKSUM": _no_form(
        "nft fills in no checksum, which old dhcp clients on virtual machines need"
    ),
    **MARKS,
    **TRANSLATIONS,
    **dict.fromkeys(
        (
            *("IDLETIMER", "LED", "RATEEST", "HMARK", "CLUSTERIP", "SECMARK", "ULOG", "SET"),
            *("DNPT", "SNPT", "IPMARK", "TARPIT", "DELUDE", "CHAOS", "STEAL", "ECHO", "MIRROR"),
        ),
        _no_form(_IS_NOT_THERE),
    ),
}
"""By name. A target that is no row here, or that nobody knows, has no words in nft."""
