"""The language server: what editors say, and which process answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Concatenate, ParamSpec, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from iptlint import __version__
from iptlint.editor import diagnostics, layout, names, quick_fixes, rule_lines, symbols
from iptlint.editor.desk import Desk, Document, Seen
from iptlint.editor.desktop import Desktop, OpenFile, is_foreign, readable
from iptlint.editor.positions import DEFAULT_ENCODING
from iptlint.editor.worker import Worker, WorkerError

_P = ParamSpec("_P")
_T = TypeVar("_T")

_QUIET = 0.05
"""Seconds without a further key before a text is looked at; by all rules:"""
_QUIETER = 0.3
"""Seconds, where that takes as long."""
_READING = "IPT0"
"""Begins the codes that the first look tells of."""


def serve(desk: Callable[[], Desk], read: BinaryIO, write: BinaryIO) -> None:
    """Until the editor goes away."""
    logging.getLogger("pygls").addHandler(logging.NullHandler())
    logging.getLogger("pygls").propagate = False
    server = Server(desk)
    _tell_features(server)
    try:
        server.start_io(read, write)
    finally:
        server.close()


class Server(LanguageServer):
    """``quick`` answers what reading tells, ``thorough`` what is worked out from packets."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        super().__init__(
            "iptlint", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full
        )
        self.desktop = Desktop()
        self._desk = desk
        self._workers: list[Worker] = []
        self._looks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        encoding = self.workspace.position_encoding or DEFAULT_ENCODING
        self.desktop.encoding = lsp.PositionEncodingKind(encoding).value
        self._workers = [Worker(self._desk), Worker(self._desk)]

    @property
    def quick(self) -> Worker:
        return self._workers[0]

    @property
    def thorough(self) -> Worker:
        return self._workers[1]

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def seen_as(self, uri: str) -> Document | None:
        """The rules as they are now; None where they are not open, or it is none."""
        file = self.desktop.files.get(uri)
        document = None if file is None else self.desktop.document(file)
        return None if document is None or document.is_policy else document

    # -- looking ------------------------------------------------------------------------------

    def look(self, file: OpenFile, *, quiet: float = 0.0) -> None:
        """Looks at a file, at once or when no key is pressed any more."""
        self.stop_looking(file.uri)
        self._looks[file.uri] = asyncio.create_task(self._look(file, quiet))

    def look_again(self, *, but: str | None = None) -> None:
        """At all that is open: some other file has changed."""
        self.desktop.turn += 1
        for uri, file in self.desktop.files.items():
            if uri != but:
                self.look(file)

    def stop_looking(self, uri: str) -> None:
        task = self._looks.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _look(self, file: OpenFile, quiet: float) -> None:
        await asyncio.sleep(quiet)
        document = self.desktop.document(file)
        late = [each for each in file.told if _is_proved(each)]
        full = asyncio.create_task(self._full_look(file, document, typed=quiet > 0))
        full.add_done_callback(lambda full: full.cancelled() or full.exception())  # told once
        try:
            self.publish(file, [*await self.quick.ask(diagnostics.first_look, document), *late])
            file.told = await full
        except WorkerError as error:
            file.told = [diagnostics.refusal(f"this file was not looked at: {error}")]
        finally:
            full.cancel()
        self.publish(file, file.told)

    async def _full_look(
        self, file: OpenFile, document: Document, *, typed: bool
    ) -> list[lsp.Diagnostic]:
        """By the other worker, at once; what takes long, when no key is pressed any more."""
        await asyncio.sleep(_QUIETER if typed and file.seconds > _QUIETER else 0.0)
        begun = time.monotonic()
        told = await self.thorough.ask(diagnostics.full_look, document)
        file.seconds = time.monotonic() - begun
        return told

    def publish(self, file: OpenFile, told: list[lsp.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(file.uri, told, file.version)
        )

    def say(self, message: str) -> None:
        self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, message))


def _is_proved(told: lsp.Diagnostic) -> bool:
    """Whether the first look says nothing of it."""
    return told.code is not None and not str(told.code).startswith(_READING)


def _tell_features(server: Server) -> None:
    for feature, (answer, *options) in _FEATURES.items():
        server.feature(feature, *options)(answer)


# -- files ----------------------------------------------------------------------------------------


def _started(server: Server, _: lsp.InitializeParams) -> None:
    server.start()


def _opened(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    if is_foreign(item.uri):
        return
    server.look(server.desktop.open(item.uri, item.text, item.version))


def _changed(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    file = server.desktop.files.get(params.text_document.uri)
    if file is not None and params.content_changes:
        text = readable(params.content_changes[-1].text)
        file.change(text, params.text_document.version)
        server.look(file, quiet=_QUIET)


def _saved(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
    server.look_again(but=params.text_document.uri)


def _closed(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    file = server.desktop.files.pop(params.text_document.uri, None)
    if file is not None:
        server.stop_looking(file.uri)
        server.publish(file, [])


def _elsewhere(server: Server, _: Any) -> None:
    """A configuration, or a file that others lead to, has changed."""
    server.look_again()


# -- questions ----------------------------------------------------------------------------------


async def _hover(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    try:
        text = await server.thorough.ask(rule_lines.hover, document, params.position)
    except WorkerError as error:
        text = str(error)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text)) if text else None


async def _symbols(
    server: Server, params: lsp.DocumentSymbolParams
) -> list[lsp.DocumentSymbol] | None:
    document = server.seen_as(params.text_document.uri)
    return None if document is None else await _asked(server, symbols.symbols, document)


async def _definition(server: Server, params: lsp.DefinitionParams) -> list[lsp.Location] | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    return await _asked(server, names.definition, document, params.position)


async def _references(server: Server, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    return await _asked(server, names.references, document, params.position)


async def _asked(
    server: Server,
    question: Callable[Concatenate[Seen, _P], _T],
    document: Document,
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T | None:
    """None where there is no answer: the look at the file says why."""
    try:
        return await server.quick.ask(question, document, *args, **kwargs)
    except WorkerError:
        return None


async def _renamable(server: Server, params: lsp.PrepareRenameParams) -> lsp.Range | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    try:
        return await server.quick.ask(names.renamable, document, params.position)
    except WorkerError as error:
        raise JsonRpcException(str(error), lsp.LSPErrorCodes.RequestFailed.value) from None


async def _rename(server: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    try:
        return await server.quick.ask(names.rename, document, params.position, params.new_name)
    except WorkerError as error:
        raise JsonRpcException(str(error), lsp.LSPErrorCodes.RequestFailed.value) from None


async def _lenses(server: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens] | None:
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    uri = params.text_document.uri
    places = await _asked(server, rule_lines.lenses, document)
    return [lsp.CodeLens(place, data={"uri": uri}) for place in places or ()]


async def _lens(server: Server, lens: lsp.CodeLens) -> lsp.CodeLens:
    """Its words: what the line accepts."""
    data: Any = lens.data
    document = server.seen_as(data["uri"])
    title = ""
    if document is not None:
        try:
            title = await server.thorough.ask(rule_lines.lens, document, lens.range.start)
        except WorkerError as error:
            title = str(error)
    lens.command = lsp.Command(title, "")
    return lens


async def _fixes(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction] | None:
    uri = params.text_document.uri
    document, file = server.seen_as(uri), server.desktop.files.get(uri)
    if document is None or file is None:
        return None
    try:
        offers = await server.thorough.ask(quick_fixes.offers, document, params.range)
    except WorkerError:
        return None
    actions = [
        lsp.CodeAction(
            offer.title,
            lsp.CodeActionKind.QuickFix,
            [offer.diagnostic],
            is_preferred=offer.safe or None,
            data={"uri": uri, "version": file.version, "number": offer.number},
        )
        for offer in offers
    ]
    if _resolves_edits(server):
        return actions
    return [each for each in [await _fix(server, action) for action in actions] if each.edit]


def _resolves_edits(server: Server) -> bool:
    """Whether the editor asks for the edit of an action when it is chosen."""
    text = server.client_capabilities.text_document
    action = text.code_action if text is not None else None
    resolve = action.resolve_support if action is not None else None
    return resolve is not None and "edit" in resolve.properties


async def _fix(server: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    """Its edit, once it is proved on the text as it is."""
    data: Any = action.data
    document, file = server.seen_as(data["uri"]), server.desktop.files.get(data["uri"])
    if document is None or file is None or file.version != data["version"]:
        server.say("the file has changed since the fix was offered; ask for it again")
        return action
    try:
        edit = await server.thorough.ask(quick_fixes.proved, document, data["number"])
    except WorkerError as error:
        edit = str(error)
    if isinstance(edit, str):
        server.say(f"{action.title}: {edit}")
    else:
        action.edit = edit
    return action


async def _layout(
    server: Server, params: lsp.DocumentFormattingParams
) -> list[lsp.TextEdit] | None:
    """As ``iptlint fmt`` has it, whatever the editor would indent with."""
    document = server.seen_as(params.text_document.uri)
    if document is None:
        return None
    try:
        edits = await server.quick.ask(layout.layout, document)
    except WorkerError as error:
        edits = str(error)
    if isinstance(edits, str):
        raise JsonRpcException(edits, lsp.LSPErrorCodes.RequestFailed.value)
    return edits


_FEATURES: dict[str, tuple[Any, ...]] = {
    lsp.INITIALIZE: (_started,),
    lsp.TEXT_DOCUMENT_DID_OPEN: (_opened,),
    lsp.TEXT_DOCUMENT_DID_CHANGE: (_changed,),
    lsp.TEXT_DOCUMENT_DID_SAVE: (_saved,),
    lsp.TEXT_DOCUMENT_DID_CLOSE: (_closed,),
    lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: (_elsewhere,),
    lsp.WORKSPACE_DID_CHANGE_CONFIGURATION: (_elsewhere,),
    lsp.TEXT_DOCUMENT_HOVER: (_hover,),
    lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (_symbols,),
    lsp.TEXT_DOCUMENT_DEFINITION: (_definition,),
    lsp.TEXT_DOCUMENT_REFERENCES: (_references,),
    lsp.TEXT_DOCUMENT_PREPARE_RENAME: (_renamable,),
    lsp.TEXT_DOCUMENT_RENAME: (_rename, lsp.RenameOptions(prepare_provider=True)),
    lsp.TEXT_DOCUMENT_CODE_LENS: (_lenses, lsp.CodeLensOptions(resolve_provider=True)),
    lsp.CODE_LENS_RESOLVE: (_lens,),
    lsp.TEXT_DOCUMENT_CODE_ACTION: (
        _fixes,
        lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix], resolve_provider=True),
    ),
    lsp.CODE_ACTION_RESOLVE: (_fix,),
    lsp.TEXT_DOCUMENT_FORMATTING: (_layout,),
}
"""Each with what is told of it beforehand."""
