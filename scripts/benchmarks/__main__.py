"""`scripts/bench NAME`: chooses what is measured."""

import argparse
import sys

from benchmarks import portal

MEASURED = {"portal": portal.measure}


def main() -> int:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", nargs="?", default="portal", choices=MEASURED)
    MEASURED[parser.parse_args().name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
