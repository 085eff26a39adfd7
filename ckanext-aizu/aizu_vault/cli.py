"""The `aizu-vault` command: what an operator and a steward of deep data do."""

import click

from aizu_vault.cli_consent import consent
from aizu_vault.cli_demo import demo
from aizu_vault.cli_log import log
from aizu_vault.cli_prepare import prepare, renew
from aizu_vault.cli_register import agreement, recipient, register
from aizu_vault.cli_release import release
from aizu_vault.cli_subject import subject


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aizu-portal")
def cli() -> None:
    """本人の同意で渡すデータの保管庫。

    The vault of deep data, which leaves only by the will of those it is about.

    Exit codes: 0 done, 1 refused, or the log is not right, 2 usage, folder or keys, 4 database unreachable.
    """


for command in (
    prepare,
    renew,
    subject,
    consent,
    register,
    recipient,
    agreement,
    release,
    log,
    demo,
):
    cli.add_command(command)
