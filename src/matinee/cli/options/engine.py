"""``--engine`` and ``--master``: where a command computes."""

from dataclasses import dataclass

import click

from matinee.cli.options.values import gathered


@dataclass(frozen=True)
class EngineOptions:
    """Where to compute: in this process, or on a Spark cluster."""

    engine: str
    master: str  # URL of the Spark cluster

    @property
    def is_spark(self) -> bool:
        """Whether the command computes on Spark."""
        return self.engine == "spark"


engine_options = gathered(
    "engine",
    EngineOptions,
    click.option(
        "--engine",
        type=click.Choice(["local", "spark"]),
        default="local",
        show_default=True,
        help="Where to compute; spark needs matinee[spark] and Java.",
    ),
    click.option(
        "--master",
        default="local[*]",
        show_default=True,
        metavar="URL",
        help="Address of the Spark cluster.",
    ),
)
