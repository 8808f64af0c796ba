// Starts `iptlint lsp` and hands it the files that are firewalls. Everything else is its work.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const LANGUAGES = ["iptables", "nftables", "shellscript"];
const NAMES = "**/{rules.v4,rules.v6,ipsets,ipset.conf,.iptlint.toml,iptlint.tests.toml,pyproject.toml,*.nft,nftables.conf}";

let client;

function started() {
  const settings = vscode.workspace.getConfiguration("iptlint");
  const [command, ...args] = settings.get("command");
  const documentSelector = [
    ...LANGUAGES.map((language) => ({ language })),
    { scheme: "file", pattern: "**/iptlint.tests.toml" },
    ...settings.get("files").map((pattern) => ({ scheme: "file", pattern })),
  ];
  const server = { command, args, transport: TransportKind.stdio };
  const synchronize = { fileEvents: vscode.workspace.createFileSystemWatcher(NAMES) };
  return new LanguageClient("iptlint", "iptlint", server, { documentSelector, synchronize });
}

async function start() {
  client = started();
  try {
    await client.start();
  } catch (error) {
    const hint = "Is it installed? pip install 'iptlint[editor]'; the setting iptlint.command says where.";
    vscode.window.showErrorMessage(`iptlint did not start: ${error.message} ${hint}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("iptlint.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("iptlint")) restart();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
