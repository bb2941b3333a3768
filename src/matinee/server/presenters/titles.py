"""Titles alike in every answer: ``title`` and ``year`` apart, as in lists."""

from matinee.data.catalog import Catalog
from matinee.display.plain_data import JsonObject


def with_years(catalog: Catalog, content: JsonObject) -> JsonObject:
    """The same content, with the title and the year of the catalogue for each item in it.

    The library writes both into one title, as people do: every object of the content that has an
    ``item_id`` and such a ``title`` gets the two apart. Sentences keep what they say.
    """
    is_item = "item_id" in content and "title" in content
    parts: JsonObject = {}
    for name, value in content.items():
        if is_item and name == "title":
            item = catalog[content["item_id"]]
            parts |= {"title": item.title, "year": item.year}
        else:
            parts[name] = _with_years_inside(catalog, value)
    return parts


def _with_years_inside(catalog: Catalog, value: object) -> object:
    if isinstance(value, dict):
        return with_years(catalog, value)
    if isinstance(value, list):
        return [_with_years_inside(catalog, one) for one in value]
    return value
