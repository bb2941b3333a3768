"""What every algorithm is: a frozen value of hyper-parameters whose ``fit`` returns a model."""

import warnings
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from matinee.algorithms.search_space import Space
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings, check_ratings
from matinee.display.text import counted
from matinee.errors import Advice, BadSetting, Diverged, MatineeWarning, Setting, offered
from matinee.models.factor import FactorModel
from matinee.models.model import Model
from matinee.row_solvers import FoldIn
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation
from matinee.training.priors import NO_PRIOR, ItemPrior
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """Parent of the algorithms: their name, their settings, and the checks they share."""

    name: ClassVar[str]  # on the command line and in the registry
    space: ClassVar[Space] = {}  # settings worth searching, and where; see ``matinee.tune``

    def __new__(cls, *unnamed: object, **settings: object) -> Self:
        """Refuse settings that there are not, before ``__init__`` takes those there are."""
        if unnamed:
            first = next((field.name for field in fields(cls)), "name")
            given = Setting(first, unnamed[0])
            raise BadSetting(f"settings go by name: {cls.__name__}(", given, ")")
        for name in settings:
            cls.check_setting(name)
        return super().__new__(cls)

    @classmethod
    def check_setting(cls, name: str) -> None:
        """Raise BadSetting, with the nearest, for a setting that this algorithm does not have."""
        known = [field.name for field in fields(cls)]
        if name not in known:
            raise BadSetting(f"{cls.name} has no setting {name!r}{offered(name, known, 'it has')}")

    def __post_init__(self) -> None:
        """Refuse what no algorithm can take: a part of a whole number, a seed below 0."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and not (isinstance(value, int) and not isinstance(value, bool)):
                raise BadSetting(f"{field.name} is {value!r}; it must be a whole number")
            if field.name == "seed":
                self.require("seed", at_least=0)

    @property
    def kind(self) -> str:
        """What its scores are: "rating" (in stars) or "preference" (they only rank)."""
        return "rating"

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> Model:
        """Learn a model from ``train``; ``validation`` lets those with epochs stop early."""
        raise NotImplementedError

    def check_train(self, train: object) -> None:
        """Raise BadRatings unless ``train`` is ``Ratings``; every ``fit`` begins with it."""
        check_ratings("fit", train)

    @property
    def alternation(self) -> Alternation:
        """The same fit for ratings that are not in memory. Raises BadSetting if there is none."""
        raise BadSetting(
            f"{self.name} learns from ratings in memory only; mf, nmf and implicit-als take packed "
            "ratings and Spark",
            Advice(", and packed.in_memory() brings packed ratings into memory", ""),
        )

    @property
    def for_blocks(self) -> "Algorithm":
        """The algorithm as it learns from ratings that are not in memory: itself, or nearly so."""
        return self

    def fit_packed(
        self, ratings: PackedRatings, on_epoch: OnEpoch = quiet, **how: Any
    ) -> FactorModel:
        """The model that ``fit`` would learn, to the bit, of ratings that stay on disk.

        ``how`` says where the fit keeps its state, how much memory it may take, and whether it goes
        on from an interruption: see ``matinee.training.streaming.fit_packed``.
        """
        from matinee.training.streaming import fit_packed

        return fit_packed(self, ratings, on_epoch, **how)

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters by name."""
        return asdict(self)

    @property
    def signature(self) -> dict[str, Any]:
        """The fields by which a model names the algorithm that learned it."""
        return {"kind": self.kind, "algorithm": self.name, "settings": self.settings}

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that make it what it is; not the usual ones, nor what follows from others.

        ``type(self)(**self.chosen) == self``.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in reversed(list(given)):  # what follows stands after what it follows from
            fewer = {other: value for other, value in given.items() if other != name}
            try:
                same = type(self)(**fewer) == self
            except (TypeError, ValueError):  # it cannot do without
                same = False
            if same:
                given = fewer
        return given

    def say_idle(self, because: str | Setting, *settings: str) -> None:
        """Warn of those of the settings that were chosen, and have no part in this fit."""
        idle = [setting for setting in settings if setting in self.chosen]
        if idle:
            has = "has" if len(idle) == 1 else "have"
            message = f"{' and '.join(idle)} of {self.name} {has} no effect with "
            warnings.warn(MatineeWarning(message, because), stacklevel=3)

    def require(
        self,
        setting: str,
        *,
        at_least: float | None = None,
        above: float | None = None,
        one_of: tuple[Any, ...] | None = None,
    ) -> None:
        """Raise BadSetting, naming value and limit, unless the setting obeys its limits."""
        value = getattr(self, setting)
        if one_of is not None:
            if value not in one_of:
                names = ", ".join(map(repr, one_of))
                raise BadSetting(f"{setting} is {value!r}; it must be one of {names}")
            return
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadSetting(f"{setting} is {value!r}; it must be a number")
        if at_least is not None and not value >= at_least:
            raise BadSetting(f"{setting} is {value}; it must be at least {at_least}")
        if above is not None and not value > above:
            raise BadSetting(f"{setting} is {value}; it must be above {above}")

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
    """Parent of those that solve the rows of one side and then the other's, and so can go on."""

    @property
    def supports_warm_start(self) -> bool:
        """Whether ``fit`` takes ``start``; some settings ask for another method."""
        return True

    def fit(
        self,
        train: Ratings,
        validation: Ratings | None = None,
        on_epoch: OnEpoch = quiet,
        start: FactorModel | None = None,
        prior: ItemPrior = NO_PRIOR,
    ) -> FactorModel:
        """``Algorithm.fit``; from ``start``, a model of the same ratings with no more factors.

        Factors beyond those of ``start`` begin by chance, as all do without it. ``prior`` is what
        items are expected to be before their ratings are looked at.
        """
        raise NotImplementedError

    def check_start(self, train: Ratings, start: FactorModel | None) -> None:
        """Raise BadSetting for a ``start`` that these settings cannot go on from."""
        if start is None:
            return
        if not self.supports_warm_start:
            raise BadSetting(f"{self} cannot go on from a model; leave start out")
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
