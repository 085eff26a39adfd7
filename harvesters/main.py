"""The entry of the `aizu` command: what runs for months does not load what reads tables."""

import sys

import click

from harvesters.cli_schedule import COMMANDS


def main() -> None:
    """The commands around the schedule alone, or all of them."""
    light = {command.name: command for command in COMMANDS if command.name}
    if sys.argv[1:] and sys.argv[1] in light:
        click.Group("aizu", commands=light)()
    from harvesters.cli import cli

    cli()
