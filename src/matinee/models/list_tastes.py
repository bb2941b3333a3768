"""The tastes of a list score: those in stars, and those in choosing that its reasons name."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from matinee.models.blend import BlendModel, end_to_end
from matinee.models.factor import FactorModel, with_tastes
from matinee.models.model import Model
from matinee.models.taste_space import TasteSpace
from matinee.row_solvers.person import Person


@dataclass(frozen=True)
class ListTastes:
    """The tastes of a model of stars and one of choice.

    Numbers are those of the tastes in stars. A name stands for every taste that bears it: Horror
    may be a taste in the stars that someone gives, and also one in what they choose. So what falls
    off a score without a taste are all the terms of that name.
    """

    model: BlendModel

    def with_taste(self, person: Person, taste: object, factor: float) -> tuple[Person, str]:
        """The person with a taste ``factor`` times as strong, and what a sentence calls it.

        Raises BadSetting for an unknown taste.
        """
        stars, choice = self.model.models
        own_stars, own_choice = self.model.persons(person)
        space = with_tastes(stars).taste_space
        in_stars = is_said_of(space, own_stars, taste)
        own_choice, said = with_choice_taste(choice, own_choice, taste, factor, not in_stars)
        if not said or in_stars:
            own_stars, said = space.with_taste(own_stars, taste, factor)
        return joined(person, [own_stars, own_choice]), said


def choosing_parts(choice: Model) -> Iterator[FactorModel]:
    """The models whose tastes the reasons of choices name."""
    if isinstance(choice, BlendModel):
        for part in choice.models:
            yield from choosing_parts(part)
    elif isinstance(choice, FactorModel) and choice.n_factors:
        yield choice


def with_choice_taste(
    choice: Model, person: Person, taste: object, factor: float, by_either_end: bool
) -> tuple[Person, str]:
    """The person with a taste in choosing ``factor`` times as strong, and what it is called.

    It is named by the end that the person is at, or ``by_either_end``: reasons against an item name
    the other one. The name is empty where no part has a taste of that name.
    """
    if isinstance(choice, BlendModel):
        own = zip(choice.models, choice.persons(person), strict=True)
        parts = [with_choice_taste(part, one, taste, factor, by_either_end) for part, one in own]
        said = next((words for _, words in parts if words), "")
        return joined(person, [one for one, _ in parts]), said
    if not isinstance(choice, FactorModel) or not choice.n_factors:
        return person, ""
    space = choice.taste_space
    if space.cards.named(taste) is None:
        return person, ""
    # as in the terms: what sets someone apart from the average, where tastes also take off
    average = None if space.only_adds else choice.average_person
    if not by_either_end and not is_said_of(space, person, taste, average):
        return person, str(taste)
    return space.with_taste(person, taste, factor, average)


def is_said_of(
    space: TasteSpace, person: Person, taste: object, average: Person | None = None
) -> bool:
    """Whether reasons call the end so that the person is at, or is beside an ``average`` person."""
    card = space.cards.named(taste)
    if card is None:
        return False
    usual = 0.0 if average is None else float(space.strength(average)[card.number])
    return card.is_named(taste, float(space.strength(person)[card.number]) - usual)


def joined(person: Person, parts: list[Person]) -> Person:
    """The person whom a blend knows by these parts."""
    return replace(person, embeddings=end_to_end([part.embeddings for part in parts]))
