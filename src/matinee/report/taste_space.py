"""The sections on tastes: a card for each, and maps of items and people by taste."""

from matinee.charts import has_map, map_of, space, taste_card
from matinee.display.text import counted
from matinee.models import FactorModel, Model
from matinee.report.elements import Block, Prose, Section, Wall

MOST_CARDS = 40
CARD_ITEMS = 8
MEASURE = "matinee tastes --stability 5"
MAP_POINTS = 1000


def tastes_section(model: Model) -> Section:
    """A card for each taste, in order of their share in the differences between scores."""
    if not isinstance(model, FactorModel) or model.n_factors == 0:
        return Section(
            "tastes",
            "Tastes",
            [Prose(f"A {model.algorithm} model has no tastes, as it has no factors.")],
        )
    tastes = model.tastes().by_share()
    blocks: list[Block] = [
        Prose(
            f"A taste is a factor of the model. All {len(tastes)} are in order of how much "
            "they contribute to the differences between scores. A bar is what a taste adds to the "
            "score of an item for a typical person. A name is what stands out among the strongest "
            "items."
        ),
        Wall([taste_card(taste, CARD_ITEMS) for taste in tastes[:MOST_CARDS]]),
    ]
    blocks += [Prose(words) for words in model.tastes().warnings()]
    if tastes[0].stability is None:
        blocks.append(Prose("Whether refits find them again was not measured (" + MEASURE + ")."))
    if len(tastes) > MOST_CARDS:
        blocks.append(Prose(f"Not shown: {counted(len(tastes) - MOST_CARDS, 'more taste')}."))
    return Section("tastes", "Tastes", blocks)


def map_section(model: Model) -> Section:
    """Maps of the items and of the people."""
    if not has_map(model):
        return Section("map", "Map", [Prose("A map needs a model with two factors or more.")])
    maps = [map_of(model, of, most=MAP_POINTS) for of in ("items", "users")]
    return Section("map", "Map", [space(one) for one in maps])
