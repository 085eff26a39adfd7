"""`aizu-vault demo`: brings the invented citizens of the demonstration into a vault."""

from dataclasses import asdict

import click

from aizu_vault.console import Desk, Words, at_desk, progress
from aizu_vault.demo import load

STEPS = {
    "people": Words("市民", "people"),
    "events": Words("同意", "consent"),
    "series": Words("データ", "data"),
}


@click.command()
@at_desk
def demo(desk: Desk) -> None:
    """架空の市民 3,000 人を入れる。もう一度実行しても何も変わらない。

    Bring 3,000 invented citizens into the vault; running it again changes nothing. A vault with real people
    refuses them.
    """
    loaded = load(desk.vault, lambda step, done, total: progress(STEPS[step], done, total))
    done = Words(
        f"市民 {loaded.people:,} 人、同意など {loaded.events:,} 件、データ {loaded.rows:,} 行を入れました。",
        f"Loaded {loaded.people:,} people, {loaded.events:,} events and {loaded.rows:,} rows.",
    )
    there = Words("すべて入っています。", "Everything is there already.")
    changed = loaded.people or loaded.events or loaded.rows
    desk.answer(asdict(loaded), done if changed else there)
