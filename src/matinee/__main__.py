"""``python -m matinee`` and ``matinee``: the command line, which Ctrl-C ends at any moment."""

import os
import sys

from matinee.interrupts import interrupts_noted

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C while its modules are imported ends it as later on."""
    try:
        with interrupts_noted():
            from matinee.cli import main as command_line

            command_line()
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
