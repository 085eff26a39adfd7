"""`scripts/bench NAME`: chooses what is measured."""

import argparse
import sys

from benchmarks import deep, diff, portal, publish, search, snowplow, validate

MEASURED = ("portal", "search", "snowplow", "validate", "diff", "publish", "deep")


def main() -> int:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", nargs="?", default="portal", choices=MEASURED)
    parser.add_argument(
        "--sizes", type=_sizes, default=search.SIZES, help="of the catalogues of `search`: 400,1000"
    )
    options = parser.parse_args()
    if options.name == "search":
        search.measure(options.sizes)
    elif options.name == "validate":
        validate.measure()
    elif options.name == "snowplow":
        snowplow.measure()
    elif options.name == "diff":
        diff.measure()
    elif options.name == "publish":
        publish.measure()
    elif options.name == "deep":
        deep.measure()
    else:
        portal.measure()
    return 0


def _sizes(text: str) -> list[int]:
    sizes = sorted({int(one) for one in text.split(",") if one.strip().isdecimal()})
    if len(sizes) < len(text.split(",")) or sizes[0] < 1:
        raise argparse.ArgumentTypeError(f"numbers of datasets such as 400,1000, and not {text}")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
