"""``--algorithm NAME --set name=value``: from words to an algorithm with its settings."""

import types
from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import click

from matinee.cli.console import say
from matinee.cli.options.values import gathered
from matinee.display.text import listed
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.packed import PackedRatings
    from matinee.data.ratings import Ratings

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def truth(text: str) -> bool:
    """True or false, in the usual words. Raises KeyError for others."""
    return TRUTH[text.lower()]


def names(text: str) -> tuple[str, ...]:
    """The parts of ``a,b,c``."""
    return tuple(part.strip() for part in text.split(","))


READERS: dict[type, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (truth, "true or false"),
    str: (str, "text"),
    tuple: (names, "names with commas between them"),
}


class LearningCommand(click.Command):
    """A command that fits: its help ends with the default, and the settings of each algorithm."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from matinee.algorithms import ALGORITHMS
        from matinee.algorithms.default import IN_WORDS

        if any(one.name == "algorithm" and not isinstance(one.default, str) for one in self.params):
            with formatter.section("Default"):
                formatter.write_text(IN_WORDS)
        with formatter.section("Algorithms, and the settings of each with their defaults"):
            formatter.write_dl([(name, in_words(kind)) for name, kind in ALGORITHMS.items()])


algorithm_option = click.option(
    "--algorithm",
    "-a",
    default="nmf",
    show_default=True,
    metavar="NAME",
    help="What to fit, of those below.",
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the algorithm; may be given again for others.",
)


@dataclass(frozen=True)
class LearnerOptions:
    """An algorithm and its settings, or none: then the data decide."""

    algorithm: str | None
    settings: tuple[str, ...]

    def named(self) -> "Algorithm | None":
        """The algorithm where one is named, known before any data are read.

        Raises BadSetting where it does not exist, and for settings without an algorithm.
        """
        if self.algorithm is not None:
            return make_algorithm(self.algorithm, self.settings)
        if self.settings:
            raise BadSetting(
                "--set goes with --algorithm, which has the setting; name it, such as --algorithm "
                f"{owner_of(self.settings)} {' '.join(f'--set {one}' for one in self.settings)}"
            )
        return None


def owner_of(settings: Sequence[str]) -> str:
    """The name of an algorithm that takes all of these settings, mf where it does.

    Raises BadSetting where mf does not, and no other has settings of these names.
    """
    from matinee.algorithms import ALGORITHMS

    names = {text.partition("=")[0].strip() for text in settings}
    taking = [
        name for name, kind in ALGORITHMS.items() if names <= {one.name for one in fields(kind)}
    ]
    owner = "mf" if "mf" in taking or not taking else taking[0]
    make_algorithm(owner, settings)
    return owner


def default_for(ratings: "Ratings | PackedRatings") -> "Algorithm":
    """The default algorithm for some ratings, and a line that says why."""
    from matinee.algorithms import default_algorithm
    from matinee.data.ratings import Ratings

    learner = default_algorithm(ratings)
    kind = f" for {ratings.signal.kind}" if isinstance(ratings, Ratings) else ""
    say(f"algorithm: {with_parts(learner)}, the default{kind}; --algorithm NAME takes another")
    return learner


def with_parts(learner: "Algorithm") -> str:
    """The name of an algorithm, with what it is made of where its name does not say so."""
    from matinee.algorithms import Blend
    from matinee.algorithms.choice import RatingAlgorithm

    if isinstance(learner, Blend):
        return f"{learner.name} of {listed([one.name for one in learner.algorithms])}"
    if isinstance(learner, RatingAlgorithm):  # mf by its name learns them otherwise
        return f"{learner.name} with choices by {listed([one.name for one in learner.choosers])}"
    return learner.name


learner_options = gathered(
    "learning",
    LearnerOptions,
    click.option(
        "--algorithm",
        "-a",
        metavar="NAME",
        help="What to fit, of those below [by the kind of the ratings, see Default].",
    ),
    set_option,
)


def make_algorithm(name: str, settings: Sequence[str]) -> "Algorithm":
    """The algorithm of this name with ``name=value`` settings.

    Raises BadSetting when the algorithm or a setting does not exist, or a value does not fit.
    """
    from matinee.algorithms.external import as_algorithm
    from matinee.algorithms.registry import find_algorithm

    kind = find_algorithm(name)
    values: dict[str, Any] = {}
    for text in settings:
        setting, value = read_setting(kind, text)
        if setting in values:
            raise BadSetting(f"--set gives {setting} twice, {values[setting]} and {value}")
        values[setting] = value
    return as_algorithm(kind(**values))


def read_setting(kind: "type[Algorithm]", text: str) -> tuple[str, Any]:
    """Name and value of one ``name=value``, the value of the type that the field takes."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise BadSetting(f"--set takes NAME=VALUE, such as n_factors=15, not {text!r}")
    if not hasattr(kind, "check_setting"):
        return name, read_external(kind, name, value)
    kind.check_setting(name)
    value_type, none_too = type_of(kind, next(one for one in fields(kind) if one.name == name))
    if none_too and value.lower() in ("none", "learned"):
        return name, None
    read, words = READERS[value_type]
    try:
        return name, read(value)
    except (ValueError, KeyError):
        raise BadSetting(f"{name} of {kind.name} takes {words}, not {value!r}") from None


def read_external(kind: type, name: str, value: str) -> Any:
    """The value of a setting of a class from outside, of the type that its default has."""
    from matinee.algorithms.external import check_setting_of, defaults_of

    check_setting_of(kind, name)
    read, words = READERS.get(type(defaults_of(kind)[name]), READERS[str])
    try:
        return read(value)
    except (ValueError, KeyError):
        raise BadSetting(f"{name} of {kind.__name__} takes {words}, not {value!r}") from None


def type_of(kind: "type[Algorithm]", field: "Field[Any]") -> tuple[type, bool]:
    """The plain type that a field takes, and whether None is allowed as well."""
    hint = get_type_hints(kind)[field.name]
    if not isinstance(hint, types.UnionType):
        return get_origin(hint) or hint, field.default is None
    plain = [one for one in get_args(hint) if one is not types.NoneType]
    return get_origin(plain[0]) or plain[0], len(plain) < len(get_args(hint))


def in_words(kind: "type[Algorithm]") -> str:
    """The settings of an algorithm with their defaults, in one line."""
    from matinee.algorithms.hyperparameters import hyperparameter_of

    defaults = (f"{one.name}={hyperparameter_of(one).default_in_words}" for one in fields(kind))
    return ", ".join(defaults) or "none"
