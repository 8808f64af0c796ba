"""The extension of Visual Studio Code: what its manifest says is there, and what it starts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import iptlint
from iptlint.cli import COMMANDS

FOLDER = Path(__file__).parents[2] / "integrations" / "vscode"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "package.json").read_text("utf-8"))
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node runs the extension")

LOADED = """
const told = [];
const vscode = {
  commands: { registerCommand: (name) => told.push(name) },
  window: { showErrorMessage: (text) => told.push(text) },
  workspace: {
    getConfiguration: () => ({ get: (key) => SETTINGS[key] }),
    createFileSystemWatcher: (pattern) => pattern,
    onDidChangeConfiguration: () => told.push("listens"),
  },
};
class LanguageClient {
  constructor(id, name, server, options) { told.push([server, options]); }
  async start() { if (SETTINGS.fails) throw new Error("ENOENT."); }
  async stop() { told.push("stopped"); }
}
const Module = require("module");
const load = Module._load;
Module._load = (name, ...more) =>
  name === "vscode" ? vscode :
  name === "vscode-languageclient/node" ? { LanguageClient, TransportKind: { stdio: 0 } } :
  load(name, ...more);
const extension = require(PATH);
(async () => {
  await extension.activate({ subscriptions: [] });
  await extension.deactivate();
  console.log(JSON.stringify(told));
})();
"""


def run(**settings: Any) -> Any:
    script = f"const SETTINGS = {json.dumps(settings)}; const PATH = {json.dumps(str(FOLDER))};"
    done = subprocess.run(
        ["node", "-e", script + LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def test_the_manifest_names_what_is_there() -> None:
    assert MANIFEST["version"] == iptlint.__version__
    assert (FOLDER / MANIFEST["main"]).is_file()
    for language in MANIFEST["contributes"]["languages"]:
        assert (FOLDER / language["configuration"]).is_file()
    command = MANIFEST["contributes"]["configuration"]["properties"]["iptlint.command"]
    assert command["default"][0] == "iptlint"
    assert command["default"][1] in COMMANDS
    assert MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]


@needs_node
def test_it_starts_what_the_settings_say() -> None:
    defaults = MANIFEST["contributes"]["configuration"]["properties"]["iptlint.command"]["default"]
    told = run(**{"command": defaults, "files": ["**/fw/*.conf"]})
    server, options = next(each for each in told if isinstance(each, list))
    assert (server["command"], server["args"]) == ("iptlint", ["lsp"])
    languages = {each["language"] for each in options["documentSelector"] if "language" in each}
    own = {each["id"] for each in MANIFEST["contributes"]["languages"]}
    assert languages == {*own, "shellscript"}
    assert {"scheme": "file", "pattern": "**/fw/*.conf"} in options["documentSelector"]
    assert MANIFEST["contributes"]["commands"][0]["command"] in told
    assert told[-1] == "stopped"


@needs_node
def test_it_says_what_is_missing() -> None:
    told = run(command=["nowhere"], files=[], fails=True)
    assert any("pip install 'iptlint[editor]'" in each for each in told if isinstance(each, str))


@pytest.mark.skipif(
    not (FOLDER / "node_modules").is_dir() or not shutil.which("npx"),
    reason="`npm install` was not run in integrations/vscode",
)
def test_it_can_be_packaged(tmp_path: Path) -> None:
    made = tmp_path / "iptlint.vsix"
    command = ["npx", "--yes", "@vscode/vsce", "package", "--out", str(made)]
    subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=300)
    assert made.is_file()
