# A NixOS module: the ruleset of networking.nftables is checked while the system is built, without
# root and without a kernel. `checkRuleset` of NixOS asks nft whether it parses; this asks what is
# wrong with it.
#
#   imports = [ ./module.nix ];
#   networking.nftables.iptlint = { enable = true; package = pkgs.callPackage ./package.nix { }; };
{ config, lib, pkgs, ... }:
let
  cfg = config.networking.nftables.iptlint;
  nftables = config.networking.nftables;
  tables = lib.filterAttrs (_: table: table.enable) nftables.tables;
  tableText = table: ''
    table ${table.family} ${table.name} {
      ${table.content}
    }
  '';
  rules = pkgs.writeText "nftables.nft" (
    lib.concatStringsSep "\n" (lib.mapAttrsToList (_: tableText) tables)
    + (if nftables.rulesetFile != null then builtins.readFile nftables.rulesetFile else nftables.ruleset)
  );
  checked = pkgs.runCommand "nftables-checked" { nativeBuildInputs = [ cfg.package ]; } ''
    iptlint check --isolated --no-cache --no-include --color never \
      --fail-on ${cfg.failOn} ${lib.escapeShellArgs cfg.extraArgs} ${rules}
    cp ${rules} $out
  '';
in
{
  options.networking.nftables.iptlint = {
    enable = lib.mkEnableOption "a check of the ruleset by iptlint when the system is built";
    package = lib.mkOption {
      type = lib.types.package;
      description = "The package with bin/iptlint.";
    };
    failOn = lib.mkOption {
      type = lib.types.enum [ "error" "warning" "info" "never" ];
      default = "error";
      description = "The mildest severity for which the system is not built.";
    };
    extraArgs = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "--ssh-ports" "2222" ];
      description = "Further options of `iptlint check`.";
    };
  };

  config = lib.mkIf (nftables.enable && cfg.enable) {
    # A system that is built depends on the check.
    system.extraDependencies = [ checked ];
  };
}
