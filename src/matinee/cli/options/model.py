"""MODEL, --user and --item on the command line: a fitted model and whom or what to ask about."""

from typing import TYPE_CHECKING

import click

from matinee.display.text import counted
from matinee.errors import BadSetting, UnknownId, did_you_mean

if TYPE_CHECKING:
    from matinee.models import Model

SHOWN_MATCHES = 5

model_argument = click.argument("model_path", metavar="MODEL")
ITEM_HELP = "Id of the item, or its title, such as 'Heat (1995)'."


def load(path: str) -> "Model":
    """The model in a folder. Raises BadModel, in words."""
    from matinee.models import load as load_model

    return load_model(path)


def find_item(model: "Model", text: str) -> str:
    """The id that a text means: an id as it is, else the title of exactly one item.

    Titles match with or without the year, in any case. Raises UnknownId when nothing matches,
    and BadSetting when several items do.
    """
    if text in model.items:
        return text
    wanted = text.strip().casefold()
    matches = [
        one
        for one in model.items
        if wanted in (model.catalog.label(one).casefold(), model.catalog[one].title.casefold())
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        several = ", ".join(
            f"{one} ({model.catalog.label(one)})" for one in matches[:SHOWN_MATCHES]
        )
        raise BadSetting(f"{len(matches)} items have the title {text!r}; give an id: {several}")
    titles = {
        name for one in model.items for name in (model.catalog.label(one), model.catalog[one].title)
    }
    hint = did_you_mean(text, sorted(titles | set(model.items)))
    raise UnknownId(
        f"no item {text!r} among the ids and titles of {counted(len(model.items), 'item')}{hint}"
    )


def find_item_or_none(model: "Model", text: str) -> str | None:
    """As ``find_item``, None when nothing matches."""
    try:
        return find_item(model, text)
    except UnknownId:
        return None
