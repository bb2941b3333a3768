"""``--engine`` and ``--master``: where a command computes."""

import click

from matinee.cli.options.reading import AnyFunction


def engine_options(command: AnyFunction) -> AnyFunction:
    """Add --engine and --master."""
    engine = click.option(
        "--engine",
        type=click.Choice(["local", "spark"]),
        default="local",
        show_default=True,
        help="Where to work; spark needs matinee[spark] and Java.",
    )
    master = click.option(
        "--master",
        default="local[*]",
        show_default=True,
        metavar="URL",
        help="Of the Spark cluster.",
    )
    return engine(master(command))
