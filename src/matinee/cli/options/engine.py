"""``--engine``, ``--master`` and ``--device``: where a command computes."""

from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

import click

from matinee.cli.options.values import AnyFunction, gathered
from matinee.errors import BadSetting
from matinee.kernels.devices import DEVICES, on_device


@dataclass(frozen=True)
class EngineOptions:
    """Where to compute: in this process, or on a Spark cluster."""

    engine: str
    master: str  # URL of the Spark cluster
    device: str | None  # of this process, for the costliest kernels

    @property
    def is_spark(self) -> bool:
        """Whether the command computes on Spark."""
        return self.engine == "spark"


_gathered = gathered(
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
    click.option(
        "--device",
        type=click.Choice(DEVICES),
        help="Run the costliest kernels by JAX: on a gpu, on its cpu, or auto, a gpu where there "
        "is one; needs matinee[accelerated].",
    ),
)


def engine_options(command: AnyFunction) -> AnyFunction:
    """The options, and the command on the device that they name. Raises BadSetting with Spark."""

    @wraps(command)
    def on_its_device(*, engine: EngineOptions, **values: Any) -> Any:
        if engine.is_spark and engine.device is not None:
            raise BadSetting("--device goes with --engine local; Spark computes on its executors")
        with on_device(engine.device):
            return command(engine=engine, **values)

    decorated: Any = _gathered(on_its_device)
    return cast(AnyFunction, decorated)
