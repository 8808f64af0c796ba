"""An editor, as the server knows one: messages of JSON-RPC on a pipe, and no library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class ResponseError(Exception):
    """What the server answers instead of a result."""


class Client:
    """``capabilities``: what it says that it can do."""

    def __init__(self, folder: Path, capabilities: Mapping[str, Any] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iptlint", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.folder = folder
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.messages: list[dict[str, Any]] = []
        self.failed: list[str] = []
        self._answers: dict[int, Queue[dict[str, Any]]] = {}
        self._number = 0
        self._published: Queue[str] = Queue()
        self.stderr = b""
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._drain, daemon=True).start()
        self.capabilities = self.ask(
            "initialize",
            processId=None,
            rootUri=folder.as_uri(),
            capabilities=capabilities or {},
        )["capabilities"]
        self.tell("initialized")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    # -- messages -----------------------------------------------------------------------------

    def send(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def begin(self, method: str, **params: Any) -> int:
        self._number += 1
        self._answers[self._number] = Queue()
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.send(json.dumps(message).encode())
        return self._number

    def answer(self, number: int) -> Any:
        answer = self._answers[number].get(timeout=PATIENCE)
        if "error" in answer:
            raise ResponseError(answer["error"]["message"])
        return answer.get("result")

    def ask(self, method: str, **params: Any) -> Any:
        return self.answer(self.begin(method, **params))

    def tell(self, method: str, **params: Any) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def _listen(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            message = json.loads(out.read(length))
            if "method" not in message:
                self._answers[message["id"]].put(message)
            elif message["method"] == "textDocument/publishDiagnostics":
                params = message["params"]
                self.diagnostics[params["uri"]] = params["diagnostics"]
                self._published.put(params["uri"])
            else:
                self.messages.append(message)

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.stderr = self.process.stderr.read()

    # -- files --------------------------------------------------------------------------------

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str, language: str = "plaintext") -> str:
        uri = self.uri(name)
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=item)
        return uri

    def change(self, name: str, text: str, version: int) -> None:
        self.tell(
            "textDocument/didChange",
            textDocument={"uri": self.uri(name), "version": version},
            contentChanges=[{"text": text}],
        )

    def close(self, name: str) -> None:
        self.tell("textDocument/didClose", textDocument={"uri": self.uri(name)})

    def at(self, method: str, name: str, line: int, character: int, **more: Any) -> Any:
        return self.ask(
            f"textDocument/{method}",
            textDocument={"uri": self.uri(name)},
            position={"line": line, "character": character},
            **more,
        )

    def wait(self, name: str, holds: Callable[[list[dict[str, Any]]], bool]) -> Any:
        """Until what is told of the file is so."""
        uri, end = self.uri(name), time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if uri in self.diagnostics and holds(self.diagnostics[uri]):
                return self.diagnostics[uri]
            try:
                self._published.get(timeout=1.0)
            except Empty:
                continue
        raise AssertionError(f"{name}: {self.diagnostics.get(uri)}")

    def stop(self) -> int:
        """As an editor ends."""
        self.ask("shutdown")
        self.tell("exit")
        return self.process.wait(PATIENCE)


def codes(told: list[dict[str, Any]]) -> list[str]:
    return sorted(str(each.get("code")) for each in told)
