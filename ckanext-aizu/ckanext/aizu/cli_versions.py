"""`ckan aizu recover` and `ckan aizu versions`: what an operator does with the versions of datasets."""

import json
import sys
from dataclasses import asdict

import click

from ckanext.aizu import in_step, retention

MB = 1_000_000


@click.command()
def recover() -> None:
    """Bring the catalogue in step with the versions that readers see.

    Needed after somebody was stopped in the middle of a publication; web servers do it by
    themselves whenever they start.
    """
    for name in in_step.recover_all():
        click.echo(name)


@click.group("versions")
def versions() -> None:
    """What is kept of earlier versions."""


@versions.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def sizes(as_json: bool) -> None:
    """Tell what the versions of each dataset take on the disk."""
    found = retention.sizes()
    if as_json:
        json.dump([asdict(size) for size in found], sys.stdout, ensure_ascii=False, indent=1)
        click.echo()
        return
    for size in found:
        click.echo(
            f"{size.bytes / MB:10,.1f} MB  {size.versions:5} versions  {size.files:6} files  "
            f"{size.name}"
        )
    click.echo(f"{sum(size.bytes for size in found) / MB:10,.1f} MB")


@versions.command()
def prune() -> None:
    """Retire old versions, remove files that no version has, compress those of past ones.

    How many versions of a dataset keep their files is a field of the dataset (keep_versions).
    """
    done = retention.prune()
    click.echo(
        f"versions retired: {done.gone}, purged datasets forgotten: {done.purged}, "
        f"files removed: {done.removed}, files compressed: {done.packed}"
    )
