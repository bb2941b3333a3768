"""The embedded catalogue: real, well-known films and facts about them (``films.csv``)."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from matinee.data.catalog import Catalog, Item

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "History",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Thriller",
    "War",
    "Western",
)


@dataclass(frozen=True)
class Film:
    """One film of the catalogue; `item_id` is its title and year as a slug."""

    item_id: str
    title: str
    year: int
    genres: tuple[str, ...]
    directors: tuple[str, ...]
    cast: tuple[str, ...]


def read_films() -> tuple[Film, ...]:
    """The films of the catalogue, sorted by `item_id`."""
    text = resources.files("matinee.sources").joinpath("films.csv").read_text(encoding="utf-8")
    return tuple(
        Film(
            item_id=row["item_id"],
            title=row["title"],
            year=int(row["year"]),
            genres=tuple(row["genres"].split("|")),
            directors=tuple(row["director"].split("|")),
            cast=tuple(row["cast"].split("|")),
        )
        for row in csv.DictReader(text.splitlines())
    )


def catalog_of(films: Sequence[Film]) -> Catalog:
    """What is known of the films, by id: title, year, genres, director and cast."""
    return Catalog(
        {
            film.item_id: Item(
                film.title,
                film.year,
                film.genres,
                {"director": film.directors, "cast": film.cast},
            )
            for film in films
        }
    )
