"""Rows of the builder for commands, definitions and the properties in a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.parsing.rows import Make, first, joined, many, texts
from iptlint.dialects.nft.parsing.verbs import check

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from iptlint.dialects.nft.nodes import Place

Path = tuple[t.Value, ...]


def _command(
    verb: str | None,
    kind: str,
    family: str | None,
    path: Path | None,
    position: t.Position | None,
    configuration: t.Item | None = None,
    **place: Unpack[Place],
) -> t.Command:
    body = None if configuration is None else (configuration,)
    return check(t.Command(verb, kind, family, path or (), position, body, **place))


def _element_command(
    verb: str | None, family: str | None, path: Path, elements: t.Expression, **place: Unpack[Place]
) -> t.Command:
    return check(t.Command(verb, "element", family, path, None, (elements,), **place))  # type: ignore[arg-type]


def _rule_command(
    verb: str | None,
    family: str | None,
    path: Path,
    position: Any,
    rule: Any,
    **place: Unpack[Place],
) -> t.Command:
    body = None if rule is None else (rule,)
    return check(t.Command(verb, "rule", family, path, position, body, **place))


def _ct_object(*words: str, **place: Unpack[Place]) -> t.Value:
    return t.Value(" ".join(words), t.Kind.SYMBOL, **place)


def _rename(
    family: str | None, table: t.Value, old: t.Value, new: t.Value, **place: Unpack[Place]
) -> t.Command:
    return t.Command("rename", "chain", family, (table, old), None, (new,), **place)


def _ruleset(verb: str | None, family: str | None, **place: Unpack[Place]) -> t.Command:
    return check(t.Command(verb, "ruleset", family, (), **place))


def _listing(
    verb: str | None,
    plural: str,
    family: Any = None,
    other: Any = None,
    *rest: Any,
    **place: Unpack[Place],
) -> t.Command:
    words = [part for part in (family, other, *rest) if part is not None]
    families = [word for word in words if isinstance(word, str)]
    path = tuple(word for word in words if isinstance(word, t.Value))
    command = t.Command(verb, plural, families[0] if families else None, path, **place)
    return check(command)


def _definition(kind: str, name: t.Value, **place: Unpack[Place]) -> t.Command:
    return t.Command(None, kind, None, (name,), **place)


def _define(verb: str, name: t.Value, *value: Any, **place: Unpack[Place]) -> t.Define:
    return t.Define(verb, name, value[-1] if value else None, **place)


def _priority(*parts: Any, **place: Unpack[Place]) -> t.Priority:
    match parts:
        case (base,):
            return t.Priority(base, **place)
        case ("-", number):
            return t.Priority(None, "-", number, **place)
        case (base, sign, offset):
            return t.Priority(base, sign, offset, **place)
    raise AssertionError(parts)


def _hook(
    type_: t.Value, hook: t.Value, devices: Any, priority: t.Priority, **place: Unpack[Place]
) -> t.Hook:
    return t.Hook(type_, hook, devices, priority, **place)


def _flowtable_hook(hook: t.Value, priority: t.Priority, **place: Unpack[Place]) -> t.Hook:
    return t.Hook(None, hook, None, priority, **place)


def _key_type(key: Path, interval: Any, data: Any, **place: Unpack[Place]) -> t.KeyType:
    kinds = (data,) if isinstance(data, t.Value) else data or ()
    return t.KeyType(key, kinds, bool(interval), **place)


def _key_like(key: Any, interval: Any, data: Any, **place: Unpack[Place]) -> t.KeyLike:
    return t.KeyLike(key, data, bool(interval), **place)


def _property(name: Any, value: Any = None, **place: Unpack[Place]) -> t.Property:
    return t.Property(name, value, **place)


def _tunnel_property(
    name: str | t.Payload, value: t.Expression, **place: Unpack[Place]
) -> t.Property:
    """``ip saddr`` is a field elsewhere, and an end of the tunnel here."""
    spelled = name if isinstance(name, str) else f"{name.protocol} {name.field}"
    return t.Property(spelled, value, **place)


def _rule(*parts: Any, **place: Unpack[Place]) -> t.Rule:
    *statements, comment = parts
    return t.Rule(tuple(statements), comment, **place)


DEFINITION_ROWS: dict[str, Make] = {
    "rule": _rule,
    "define": lambda verb, name, _, value, **place: t.Define(verb, name, value, **place),
    "undefine": lambda verb, name, **place: t.Define(verb, name, None, **place),
    "include": lambda path, **place: t.Include(path, **place),
    "verb": first,
    "add": first,
    "ct_object": _ct_object,
    "object_kind": _ct_object,
    "family": first,
    "kind": joined,
    "plural": joined,
    "ct_plural": joined,
    "path": texts,
    "chain_path": texts,
    "position": lambda kind, number, **place: t.Position(kind, number, **place),
    "configuration": first,
    "object_command": _command,
    "element_command": _element_command,
    "rule_command": _rule_command,
    "bare_rule": _rule_command,
    "rename_command": _rename,
    "ruleset_command": _ruleset,
    "listing_command": _listing,
    "describe": t.Describe,
    "other_command": lambda verb, *_words, **place: t.Command(verb, verb, None, (), **place),
    "monitored": joined,
    "format": joined,
    "definition": _definition,
    "hook": _hook,
    "priority": _priority,
    "policy": t.Policy,
    "flags": many(t.Flags),
    "set_property": _property,
    "key_type": _key_type,
    "types": texts,
    "key_like": _key_like,
    "elements": t.Elements,
    "flowtable_hook": _flowtable_hook,
    "devices": t.Devices,
    "flowtable_counter": _property,
    "counter_values": t.Counter,
    "helper_type": t.HelperType,
    "protocol": _property,
    "timeout_policy": many(t.TimeoutPolicy),
    "state_timeout": t.StateTimeout,
    "expectation_property": _property,
    "tunnel_property": _tunnel_property,
}
_BLOCKS = (
    *("set", "flowtable", "counter", "quota", "limit", "secmark", "synproxy"),
    *("helper", "timeout", "expectation", "tunnel"),
)
DEFINITION_ROWS.update({f"{name}_items": texts for name in _BLOCKS})
