"""What every algorithm is: a frozen value of hyper-parameters whose ``fit`` returns a model."""

import warnings
from dataclasses import Field, asdict, dataclass, fields
from typing import Any, ClassVar, Self, Unpack, cast

import numpy as np

from matinee.algorithms.device_memory import check_device_memory
from matinee.algorithms.fit_arguments import DEVICE, checked
from matinee.algorithms.host_memory import check_host_memory
from matinee.algorithms.hyperparameters import (
    Limits,
    check_choice,
    check_limits,
    hyperparameter_of,
)
from matinee.algorithms.search_space import Space
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings, check_ratings
from matinee.display.optional import Optional
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.text import counted
from matinee.errors import Advice, BadSetting, Diverged, MatineeWarning, Setting, offered
from matinee.models.factor import FactorModel
from matinee.models.model import Model
from matinee.row_solvers import FoldIn
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation, TableSummary
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet
from matinee.training.solution import Solution


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """Parent of the algorithms: their name, their settings, and the checks they share."""

    name: ClassVar[str]  # on the command line and in the registry
    space: ClassVar[Space] = {}  # settings worth searching, and where, as the fields state it
    extra: ClassVar[Optional | None] = None  # what a fit needs beside the library itself
    grows_with: ClassVar[tuple[str, ...]] = ()  # settings that ``device_memory`` grows with

    def __init_subclass__(cls) -> None:
        """Read the search space and the closing lines of the docstring off the fields."""
        super().__init_subclass__()
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        inherited = {
            name: one
            for parent in reversed(cls.__mro__[1:])
            for name, one in vars(parent).get("__dataclass_fields__", {}).items()
        }
        stated = {name: hyperparameter_of(one) for name, one in {**inherited, **own}.items()}
        if "space" not in vars(cls):
            cls.space = {n: one.search for n, one in stated.items() if one.search is not None}
        lines = [
            f"    {name} (default {one.default_in_words}): {one.meaning}"
            for name, one in stated.items()
            if one.meaning
        ]
        if lines:
            cls.__doc__ = "\n".join([f"{cls.__doc__}\n\n    Settings:\n", *lines])
        fit = vars(cls).get("fit")
        if fit is not None and not fit.__doc__:  # what help() and editors show beside its arguments
            parent = next(one for one in cls.__mro__[1:] if "fit" in vars(one))
            fit.__doc__ = vars(parent)["fit"].__doc__
        if fit is not None:
            cls.fit = checked(fit)  # type: ignore[method-assign]

    def __new__(cls, *unnamed: object, **settings: object) -> Self:
        """Refuse settings that there are not, before ``__init__`` takes those there are."""
        if unnamed:
            first = next((field.name for field in fields(cls)), "name")
            setting = Setting(first, unnamed[0])
            raise BadSetting(f"settings go by name: {cls.__name__}(", setting, ")")
        for name in settings:
            cls.check_setting(name)
        return super().__new__(cls)

    @classmethod
    def check_setting(cls, name: str) -> None:
        """Raise BadSetting, with the nearest, for a setting that this algorithm does not have."""
        known = [field.name for field in fields(cls)]
        if name not in known:
            ending = ("; ", DEVICE) if name == "device" else (offered(name, known, "it has"),)
            raise BadSetting(f"{cls.name} has no setting {name!r}", *ending)

    def __post_init__(self) -> None:
        """Fill in the defaults that follow from other settings, and refuse impossible values."""
        for field in fields(self):
            stated, value = hyperparameter_of(field), getattr(self, field.name)
            if isinstance(value, np.generic):  # a number of a grid, which JSON does not know
                value = value.item()
                object.__setattr__(self, field.name, value)
            if value is None and stated.follows:
                value = stated.default_beside(vars(self))
                object.__setattr__(self, field.name, value)  # the value is not finished yet
                if value is None:
                    continue
            stated.check(field.name, value, field.type)

    @property
    def kind(self) -> str:
        """What its scores are: "rating" (in stars) or "preference" (they only rank)."""
        return "rating"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> Model:
        """Learn a model from ``train``; ``validation`` lets those with epochs stop early.

        ``on_epoch`` is called with an ``Epoch`` after each. Weights of ratings are those of
        ``train.with_sample_weight(...)``. Raises BadRatings for what cannot be learned from,
        BadSetting for weights that the algorithm does not take, and Diverged where numbers are no
        longer finite.
        """
        raise NotImplementedError

    def check_train(self, train: object) -> None:
        """Raise BadRatings unless ``train`` is ``Ratings``; ``fit_arguments`` asks before each fit.

        Raises BadSetting where the extra that a fit needs is not installed, for weights of ratings
        where the algorithm does not take them, and for factors beyond the memory of the machine.
        """
        check_ratings("fit", train)
        if cast(Ratings, train).sample_weight is not None and not self.takes_weights:
            able = [name for name, kind in ALGORITHMS.items() if kind().takes_weights]
            raise BadSetting(
                f"{self.name} takes no sample_weight; {', '.join(able)} do",
                Advice(
                    ", and ratings.with_sample_weight(None) leaves the weights out",
                    ", and without a column sample_weight all ratings weigh one",
                ),
            )
        if self.extra is not None and self.extra.missing:
            raise BadSetting(
                f"{self.name} is trained by {self.extra.missing[0]}, which is not "
                f"installed: {self.extra.remedy}; saved models answer without it"
            )
        check_host_memory(self, cast(Ratings, train))
        self.check_device(cast(Ratings, train))

    def check_device(self, train: Ratings) -> None:
        """Raise BadSetting where another device is chosen and has too little memory for a fit."""
        check_device_memory(self, train, self.grows_with)

    def device_memory(self, train: Ratings) -> int:
        """Bytes of another device's memory that a fit needs at least; 0 where it uses none."""
        return 0

    @property
    def takes_weights(self) -> bool:
        """Whether ratings may have weights; where they may not, ``fit`` raises for them."""
        return False

    def alternation(self, table: TableSummary) -> Alternation:
        """The same fit for ratings that are not in memory. Raises BadSetting if there is none."""
        raise BadSetting(
            f"{self.name} learns from ratings in memory only; mf, nmf and implicit-als take packed "
            "ratings and Spark",
            Advice(", and packed.in_memory() brings packed ratings into memory", ""),
        )

    def for_data(self, train: Ratings) -> "Algorithm":
        """The algorithm as it learns from these ratings: itself, or a form for bare choices."""
        return self

    @property
    def for_stars(self) -> "Algorithm":
        """The algorithm without what its lists take beside its scores: the same predictions."""
        return self

    @property
    def for_blocks(self) -> "Algorithm":
        """The algorithm as it learns from ratings that are not in memory: itself, or nearly so."""
        return self

    def fit_packed(
        self, ratings: PackedRatings, on_epoch: OnEpoch = quiet, **how: Any
    ) -> FactorModel:
        """The model that ``fit`` would learn, to the bit, of ratings that stay on disk.

        Settings that ``fit`` chooses on a held-out piece follow from the counts alone here; the
        model's ``facts`` hold them.

        ``how`` says where the fit keeps its state, how much memory it may take, and whether it goes
        on from an interruption: see ``matinee.training.streaming.fit_packed``.
        """
        from matinee.training.streaming import fit_packed

        return fit_packed(self, ratings, on_epoch, **how)

    @property
    def settings(self) -> JsonObject:
        """The hyper-parameters by name."""
        return asdict(self)

    def with_settings(self, settings: JsonMapping) -> Self:
        """The algorithm with other settings; those derived from others are derived again.

        Raises BadSetting for a setting it does not have, or an impossible value.
        """
        return type(self)(**{**self.non_default_settings, **settings})

    def get_params(self, deep: bool = True) -> JsonObject:
        """The hyper-parameters by name, as scikit-learn asks for them."""
        return {name: getattr(self, name, value) for name, value in self.settings.items()}

    def set_params(self, **settings: object) -> Self:
        """``with_settings``, as scikit-learn calls it: a new value, as this one does not change."""
        return self.with_settings(settings)

    def __sklearn_clone__(self) -> Self:
        """Itself, for ``sklearn.base.clone``: it does not change, and holds no fit."""
        return self

    @property
    def signature(self) -> JsonObject:
        """The fields by which a model names the algorithm that learned it."""
        return {"kind": self.kind, "algorithm": self.name, "settings": self.settings}

    @property
    def non_default_settings(self) -> JsonObject:
        """The settings that differ from their defaults, those that follow from others included.

        ``type(self)(**self.non_default_settings) == self``.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            field.name: values[field.name]
            for field in fields(self)
            if values[field.name] != hyperparameter_of(field).default_beside(values)
        }

    def warn_without_effect(self, because: str | Setting, *settings: str) -> None:
        """Warn of those of ``settings`` that are not at their default but play no part in a fit."""
        idle = [setting for setting in settings if setting in self.non_default_settings]
        if idle:
            has = "has" if len(idle) == 1 else "have"
            message = f"{' and '.join(idle)} of {self.name} {has} no effect with "
            warnings.warn(MatineeWarning(message, because), stacklevel=4)

    def require(self, setting: str, **limits: Unpack[Limits]) -> None:
        """Raise BadSetting unless a setting obeys limits that follow from other settings."""
        check_limits(setting, getattr(self, setting), **limits)

    def require_one_of(self, setting: str, choices: tuple[object, ...]) -> None:
        """Raise BadSetting unless a setting is one of the choices that other settings leave."""
        check_choice(setting, getattr(self, setting), choices)

    def model(
        self,
        train: Ratings | PackedRatings,
        mean: float,
        users: Embeddings,
        items: Embeddings,
        fold: FoldIn,
        **more: Any,
    ) -> FactorModel:
        """The model of what was learned, signed with this algorithm's name and settings.

        Raises Diverged rather than keep what is not finite.
        """
        if not (users.finite and items.finite):
            raise Diverged(
                f"the fit of {self.name} diverged: its factors are not finite; raise reg"
            )
        return FactorModel.of(train, mean, users, items, fold, **(self.signature | more))


@dataclass(frozen=True, kw_only=True)
class Alternating(Algorithm):
    """Parent of the algorithms by alternating row solves, which support a warm start."""

    @property
    def supports_warm_start(self) -> bool:
        """Whether ``fit`` takes ``start``; settings may choose a method that does not."""
        return True

    def fit(
        self,
        train: Ratings,
        validation: Ratings | None = None,
        on_epoch: OnEpoch = quiet,
        start: FactorModel | None = None,
        prior: ItemPrior = NO_PRIOR,
    ) -> FactorModel:
        """``Algorithm.fit``, with a warm start from ``start``.

        ``start`` is a model of the same users and items with at most as many factors. Further
        factors start at random, as all do without it. ``prior`` is the distribution of item
        factors before any rating is seen. Raises BadSetting for a ``start`` that does not fit.
        """
        raise NotImplementedError

    def model_of(self, train: Ratings, solution: Solution, prior: ItemPrior) -> FactorModel:
        """The model of a solution. Raises Diverged where it is not finite."""
        return self.model(
            train,
            solution.mean,
            solution.users,
            solution.items,
            solution.user_fold,
            item_fold=solution.item_fold,
            facts=solution.facts,
            unrated_items_learned=solution.unrated_items_learned,
            canonical=not prior.learns_unrated,  # the effects of features must rotate along
        )

    def check_start(self, train: Ratings, start: FactorModel | None) -> None:
        """Raise BadSetting for a ``start`` that these settings cannot start from."""
        if start is None:
            return
        if not self.supports_warm_start:
            raise BadSetting(f"{self} does not support a warm start; leave start out")
        if start.algorithm != self.name:
            raise BadSetting(f"start is a model of {start.algorithm}; it must be of {self.name}")
        if not (start.users == train.users and start.items == train.items):
            raise BadSetting("start is a model of other users or items than these ratings have")
        if start.n_factors > self.settings["n_factors"]:
            raise BadSetting(
                f"start has {counted(start.n_factors, 'factor')}, more than the "
                f"{self.settings['n_factors']} "
                "of n_factors"
            )


ALGORITHMS: dict[str, type[Algorithm]] = {}
"""Every algorithm by name. The package fills it, and an algorithm made of others reads it here."""
