"""`scripts/serve`: start the whole portal with one command, look at it, stop it, or delete it."""

import argparse
import errno
import signal
import sys

from stack import operate, packages, services, settings, start
from stack.supervisor import StartError

EXPECTED = (
    packages.MissingError,
    services.PortError,
    settings.SettingError,
    StartError,
)
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Reads the command line; returns the exit code."""
    listen_to_signals()
    try:
        return _act(_parser().parse_args())
    except EXPECTED as error:
        sys.stderr.write(f"serve: {error}\n")
        return 1
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        where = f": {error.filename}" if error.filename else ""
        sys.stderr.write(
            f"serve: {error.strerror}{where}. Make room or choose --var; then start again\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nserve: interrupted; the next start goes on from here\n")
        return 130


def listen_to_signals() -> None:
    """Has the first signal end whatever goes on; nohup's wish to outlive the terminal is kept."""
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    """Ends whatever goes on; the orderly stop that follows is not interrupted again."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _act(arguments: argparse.Namespace) -> int:
    told = settings.load(var=arguments.var, port=arguments.port)
    if arguments.stop:
        return operate.stop(told)
    if arguments.status:
        return operate.status(told)
    if arguments.reset:
        return operate.reset(told)
    if arguments.install_only:
        return start.install_only(told, everything=arguments.install_only == "everything")
    return start.serve(told, demo=not arguments.no_demo)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/serve",
        description="Start the whole open-data portal: install what is missing, set up, harvest, "
        "serve. Stays in the foreground; Ctrl-C stops everything it started and nothing else. "
        "Settings beyond these: docs/operate.md.",
    )
    parser.add_argument("--port", type=int, help="port people reach the portal on (default 5000)")
    parser.add_argument("--var", help="folder of all data, logs and secrets (default var)")
    parser.add_argument(
        "--no-demo", action="store_true", help="do not start and harvest the simulated city"
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--stop", action="store_true", help="stop the portal that uses this --var")
    action.add_argument("--status", action="store_true", help="say what runs and how much memory")
    action.add_argument("--reset", action="store_true", help="delete all its data (asks first)")
    action.add_argument(
        "--install-only",
        choices=("python", "everything"),
        help="install what development needs, Python packages or also servers and browser, and end",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
