"""The entry of the `aizu-vault` command: what every start of the portal runs does not load what reads tables."""

import sys

import click

from aizu_vault.cli_prepare import prepare


def main() -> None:
    """`prepare` alone, or all of them."""
    if sys.argv[1:2] == ["prepare"]:
        click.Group("aizu-vault", commands={"prepare": prepare})()
    from aizu_vault.cli import cli

    cli()
