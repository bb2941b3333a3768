"""How a command ends: every mistake that a user can make is one sentence and an exit code.

0 done   1 failure   2 usage   3 bad data   4 not found   5 model mismatch   6 not due
130 interrupted
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import click

from matinee.cli.console import say, say_whole
from matinee.cli.log_records import log_records
from matinee.errors import DataWarning, Face, MatineeError, worded
from matinee.interrupts import interrupts_noted

FAILURE, NOT_DUE, INTERRUPTED = 1, 6, 130


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command, report what goes wrong in one sentence, and return its exit code."""
    with interrupts_noted() as interrupts:
        try:
            return _ended(command)
        except Exception:
            if not interrupts.noted:
                raise
            say("interrupted")  # a library took the interrupt, and fell over what it left
            return INTERRUPTED


def _ended(command: Callable[[], object]) -> int:
    """The exit code of a command, whose mistakes are reported."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # for bars on ASCII terminals
    try:
        with warnings_as_notes(), compilation_as_note():
            code = command()
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        say_usage(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except MatineeError as error:
        say_whole(f"error: {error.worded(Face.COMMAND_LINE)}")
        return error.exit_code
    except MemoryError:
        say("error: out of memory; try fewer factors or a part of the data")
        return FAILURE
    except OSError as error:
        return _of_system(error)


def _of_system(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    where = f"{error.filename}: " if error.filename else ""
    say_whole(f"error: {where}{error.strerror or error}")
    return FAILURE


def say_usage(error: click.ClickException) -> None:
    """Report a command that was typed wrong, with how it is typed where that is known."""
    context = getattr(error, "ctx", None)
    if context is not None:
        say(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n")
    say_whole(f"Error: {error.format_message()}")


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Show each warning of the library once, as a note; ignore those of other libraries."""
    messages: set[str] = set()

    def note(message: Warning | str, *_: object, **__: object) -> None:
        text = worded(message, Face.COMMAND_LINE)
        if text not in messages:
            messages.add(text)
            say_whole(f"note: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("ignore", DataWarning)  # the whole read report is shown
        warnings.showwarning = note
        yield


def compilation_as_note() -> AbstractContextManager[None]:
    """Show what the kernels log: that they are being compiled."""
    return log_records("matinee.kernels", lambda record: say(f"note: {record.getMessage()}"))
