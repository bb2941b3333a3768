"""The command line: ``matinee COMMAND``. Data go to standard output, messages to standard error.

``COMMANDS`` names the module of each command. Those modules import the numerical libraries inside
their functions and not at the top, so that help is quick.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

import matinee
from matinee.cli.exit_codes import INTERRUPTED, exit_code_of
from matinee.errors import did_you_mean
from matinee.garbage import leave_garbage, search_for_garbage_seldom

COMMANDS = {
    "demo": "matinee.cli.commands.demo",
    "inspect": "matinee.cli.commands.inspect",
    "pack": "matinee.cli.commands.pack",
    "fit": "matinee.cli.commands.fit",
    "recommend": "matinee.cli.commands.recommend",
    "interview": "matinee.cli.commands.interview",
    "explain": "matinee.cli.commands.explain",
    "tastes": "matinee.cli.commands.tastes",
    "similar": "matinee.cli.commands.similar",
    "predict": "matinee.cli.commands.predict",
    "evaluate": "matinee.cli.commands.evaluate",
    "measure": "matinee.cli.commands.measure",
    "cross-validate": "matinee.cli.commands.cross_validate",
    "compare": "matinee.cli.commands.compare",
    "tune": "matinee.cli.commands.tune",
    "k-curve": "matinee.cli.commands.k_curve",
    "runs": "matinee.cli.commands.runs",
    "serve": "matinee.cli.commands.serve",
    "refit": "matinee.cli.commands.refit",
    "report": "matinee.cli.commands.report",
    "verify": "matinee.cli.commands.verify",
    "doctor": "matinee.cli.commands.doctor",
    "warm-up": "matinee.cli.commands.warm_up",
}


class Commands(click.Group):
    """The commands of ``COMMANDS``, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            refuse_repeats(command, ctx, rest)
        return name, command, rest


def refuse_repeats(command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
    """Fail where an option that takes one value is given again: the last would silently win."""
    own = click.Context(command, parent=ctx, resilient_parsing=True)
    _, _, options = command.make_parser(own).parse_args(list(args))
    for option in options:
        if not isinstance(option, click.Option) or option.multiple or option.is_flag:
            continue
        if (times := options.count(option)) > 1:
            name = max(option.opts, key=len)
            ctx.fail(f"{name} is given {times} times; it takes one value, so give it once")


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: matinee demo",
)
@click.version_option(matinee.__version__, message="matinee %(version)s")
def app() -> None:
    """Ratings in, recommendations out, with reasons that add up to the score."""


def run(args: Sequence[str] | None = None) -> int:
    """Do what the arguments say (those of the process when None); returns the exit code."""
    return exit_code_of(lambda: app.main(args, standalone_mode=False))


def main() -> None:
    """The ``matinee`` program."""
    search_for_garbage_seldom()
    code = run()
    leave_garbage()
    if code == INTERRUPTED:
        os._exit(code)  # do not wait for threads that still compute
    sys.exit(code)
