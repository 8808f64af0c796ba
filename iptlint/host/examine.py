"""Makes sense of what was gathered: the host, and what of it there is to lint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iptlint.dialects import Reader, Reading
from iptlint.host.facts import facts
from iptlint.host.files import files_of
from iptlint.host.gathered import Gathered
from iptlint.host.hooks import loaders
from iptlint.host.layouts import is_known, is_nixos
from iptlint.host.running import running
from iptlint.host.saved import Boot, Files, after_boot, includes, loaded, sets_of, source_of, stored
from iptlint.model.host import Host, Loader
from iptlint.source import SourceFile

_NOT_ITS_BOOT = "this is a network namespace of its own, which no boot of the host fills"
_NO_INIT = "there is no init system here whose services can be told"


@dataclass(frozen=True, slots=True)
class Examined:
    """``ipsets``: sources that hold sets. ``kept``: the files that a live host loads at boot, to
    be linted as files, with the ``kept_sets``. ``readings``: of some of the sources, which have
    been read already."""

    host: Host
    ipsets: tuple[SourceFile, ...]
    reader: Reader
    kept: tuple[SourceFile, ...] = ()
    kept_sets: tuple[SourceFile, ...] = ()
    readings: Mapping[SourceFile, Reading] = field(default_factory=dict)


def examine(gathered: Gathered) -> Examined:
    boot_loaders = loaders(gathered)
    known = is_known(gathered) and not gathered.own_namespace
    if gathered.live:
        return _live(gathered, boot_loaders, boot_known=known)
    return _at_rest(gathered, boot_loaders, boot_known=known)


def _live(gathered: Gathered, boot_loaders: tuple[Loader, ...], *, boot_known: bool) -> Examined:
    now = running(gathered)
    files = Files(gathered)
    boot = after_boot(files, boot_loaders, now.ipsets)
    if not boot_known:
        boot = Boot(None, _NOT_ITS_BOOT if gathered.own_namespace else _NO_INIT)
    host = _host(files, boot_loaders, boot, boot_known=boot_known)
    kept = [*_kept(files, boot_loaders)] if boot_known else []
    return Examined(
        replace(
            host,
            running=now.whole,
            backends=now.backends,
            sources=now.sources,
            mixed=now.mixed,
        ),
        now.ipsets,
        Reader(files=files_of(gathered)),
        tuple(reading.ruleset.source for reading in kept),
        sets_of(gathered),
        {**now.readings, **{reading.ruleset.source: reading for reading in kept}},
    )


def _kept(files: Files, boot_loaders: Sequence[Loader]) -> Iterator[Reading]:
    """Those that can be read as the host reads them."""
    for load in loaded(boot_loaders):
        if load.path in files.gathered.files:
            reading = files.reading(load.path, None)
            if files.gathered.root is not None or not includes(reading.ruleset.source):
                yield reading


def _at_rest(gathered: Gathered, boot_loaders: tuple[Loader, ...], *, boot_known: bool) -> Examined:
    host = _host(Files(gathered), boot_loaders, Boot(None), boot_known=boot_known)
    at_boot = [load.path for load in loaded(boot_loaders) if load.path in gathered.files]
    sources = [source_of(gathered, path) for path in at_boot]
    if not sources:
        sources = [ruleset.source for ruleset in host.stored]
    if not sources and boot_loaders:
        # What is wrong with the services is told all the same.
        sources = [SourceFile(gathered.name, "")]
    reader = Reader(files=files_of(gathered))
    return Examined(replace(host, sources=tuple(sources)), sets_of(gathered), reader)


def _host(files: Files, boot_loaders: tuple[Loader, ...], boot: Boot, *, boot_known: bool) -> Host:
    gathered = files.gathered
    return Host(
        gathered.name,
        gathered.live,
        facts(gathered),
        None,
        None,
        boot_loaders,
        boot.ruleset,
        boot.untold,
        boot_known,
        stored(files),
        (),
        gathered.unread,
        _system(gathered),
    )


def _system(gathered: Gathered) -> str:
    if is_nixos(gathered):
        return "nixos"
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        match = re.search(r'^ID="?([a-z0-9_-]+)', gathered.text(path), re.MULTILINE)
        if match:
            return match[1]
    return ""
