"""The MovieLens data sets, recognised by their files in a folder, a zip, or side by side.

100K (``u.data``, also ``u1.base`` and its kin), 1M and 10M (``ratings.dat``), and the CSV ones:
20M, 25M, 32M, latest, latest-small. Source: Harper & Konstan, The MovieLens Datasets, 2015.
"""

import csv
import io
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from matinee.data.catalog import Catalog, Item
from matinee.data.profiles import NO_PROFILES, Profiles
from matinee.data.scale import Scale
from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import Advice, BadRatings, Option
from matinee.sources import duck, files, parquet
from matinee.sources.bundle import Bundle, open_bundle
from matinee.sources.delimited import text_query
from matinee.sources.raw import Query, ReadOptions
from matinee.sources.titles import split_other_titles, split_title
from matinee.storage.model_files import MANIFEST

WHOLE_STARS, HALF_STARS = Scale(1, 5), Scale(0.5, 5)
TABLES = {".csv", ".dat", ".txt", ".tsv", ".inter", ".data", ".jsonl", ".json", ".tab", ".parquet"}
PART_OF_100K = re.compile(r"u([1-5ab]?\.(base|test)|\.data)")
CSV_RATINGS = b"userId,movieId,rating,timestamp"
NO_GENRE = {"(no genres listed)", "unknown", ""}
GENRES_100K = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)


OCCUPATIONS_1M = (
    "other",
    "educator",
    "artist",
    "clerical",
    "student",
    "customer service",
    "doctor",
    "executive",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "marketing",
    "scientist",
    "self-employed",
    "technician",
    "tradesman",
    "unemployed",
    "writer",
)


class Layout(NamedTuple):
    """One family of MovieLens data sets: its files and its scale."""

    name: str
    ratings: str
    movies: str
    scale: Scale
    encoding: str  # of everything but the ratings, which are plain ASCII


LAYOUTS = (
    Layout("MovieLens 100K", "u.data", "u.item", WHOLE_STARS, "latin-1"),
    Layout("MovieLens 10M", "ratings.dat", "movies.dat", HALF_STARS, "utf-8"),
    Layout("MovieLens 1M", "ratings.dat", "movies.dat", WHOLE_STARS, "latin-1"),
    Layout("MovieLens CSV", "ratings.csv", "movies.csv", HALF_STARS, "utf-8-sig"),
)


class Place(NamedTuple):
    """Where the ratings are: a bundle of files and the name of one of them."""

    bundle: Path
    ratings: str | None  # None: the one that the layout names


def place_of(source: object) -> Place | None:
    """The folder or zip that a source names, or the folder that its file lies in."""
    path = files.as_path(source)
    if path is None or not path.exists():
        return None
    if path.is_dir() or files.kind_of(path) == "zip":
        return Place(path, None)
    if files.kind_of(path) != "text":
        return None
    if PART_OF_100K.fullmatch(path.name) or path.name in {one.ratings for one in LAYOUTS}:
        return Place(path.parent, path.name)
    return None


def layout_of(bundle: Bundle, ratings: str | None) -> Layout | None:
    """The family that the files show, or None."""
    for layout in LAYOUTS:
        name = ratings or layout.ratings
        if layout.name == "MovieLens 100K":
            fits = bool(PART_OF_100K.fullmatch(name)) and layout.movies in bundle
        else:
            fits = name == layout.ratings and bundle.has(layout.ratings, layout.movies)
        if layout.name == "MovieLens 10M":
            fits = fits and "users.dat" not in bundle
        if layout.name == "MovieLens CSV":
            fits = fits and bundle.starts(name, CSV_RATINGS)
        if fits:
            return layout
    return None


def recognises(source: object) -> bool:
    """A folder, a zip, or a ratings file with its movies beside it."""
    place = place_of(source)
    if place is None or place.ratings is None:
        return place is not None
    with open_bundle(place.bundle, depth=1) as bundle:
        return layout_of(bundle, place.ratings) is not None


@contextmanager
def query(source: object, options: ReadOptions) -> Iterator[Query]:
    """The query for a MovieLens data set, with its catalogue, or for the one file in a zip."""
    place = place_of(source)
    assert place is not None
    refuse_model(place.bundle)
    with open_bundle(place.bundle, depth=1 if place.ratings else 2) as bundle:
        layout = None if options.table else layout_of(bundle, place.ratings)
        name = place.ratings or (layout.ratings if layout else table_of(bundle, options))
        label = name if place.ratings else f"{bundle.name}/{name}"
        if layout is None:
            with table_query(bundle, name, label, options) as ratings:
                yield ratings
            return
        with text_query(
            label,
            bundle.openers[name],
            bundle.paths.get(name),
            options,
            format=layout.name,
            known_scale=layout.scale,
            catalog=catalog_of(bundle, layout),
        ) as ratings:
            yield replace(ratings, profiles=profiles_of(bundle))


read = duck.reader(query)


@contextmanager
def table_query(bundle: Bundle, name: str, label: str, options: ReadOptions) -> Iterator[Query]:
    """The query for one table of a bundle, of text or Parquet; ``label`` names it in messages."""
    path = bundle.paths.get(name)
    if not bundle.starts(name, b"PAR1"):
        with text_query(label, bundle.openers[name], path, options) as ratings:
            yield ratings
        return
    with temporary_folder() as folder:
        if path is None:
            path = folder / Path(name).name
            with bundle.openers[name]() as file, path.open("wb") as out:
                shutil.copyfileobj(file, out, files.BLOCK)
        with parquet.query(path, options) as ratings:
            yield replace(ratings, name=label)


def refuse_model(folder: Path) -> None:
    """Raise BadRatings for the folder of a model."""
    if (folder / MANIFEST).is_file():
        lists = Advice(f"matinee.load({str(folder)!r})", f"matinee recommend {folder} --user ID")
        raise BadRatings(
            f"{folder} is a model, not ratings; give the ratings to fit, such as those that it was "
            "fitted on. Its lists come from ",
            lists,
        )


def table_of(bundle: Bundle, options: ReadOptions) -> str:
    """The name of the file of ratings in a folder or zip that is no MovieLens data set.

    That is ``options.table``, else the only file that can be read as ratings with these options.
    Raises BadRatings where there is none, or several.
    """
    files = sorted(bundle.openers)
    if options.table is not None:
        if options.table not in bundle:
            raise BadRatings(
                f"{bundle.name} holds no file {options.table!r}; it holds {', '.join(files[:6])}"
            )
        return options.table
    if len(files) == 1 and not bundle.paths:
        return files[0]
    fits = [
        name for name in files if Path(name).suffix.lower() in TABLES and fit(bundle, name, options)
    ]
    if len(fits) == 1:
        return fits[0]
    if fits:
        choices: list[str | Option] = []
        for name in fits:
            choices += [" or ", Option("table", name)]
        raise BadRatings(
            f"{bundle.name} holds {len(fits)} files that could be the ratings; say which with ",
            *choices[1:],
        )
    kinds = "u.data, ratings.dat or ratings.csv with their movies"
    tables = [name for name in files if Path(name).suffix.lower() in TABLES]
    raise BadRatings(
        f"{bundle.name} is no MovieLens data set ({kinds}); it holds "
        f"{', '.join(files[:6]) or 'nothing'}. Name the file with the ratings",
        *((", as in ", Option("table", tables[0])) if tables else ()),
    )


def fit(bundle: Bundle, name: str, options: ReadOptions) -> bool:
    """Whether a file of a bundle has the columns of ratings, named in a header or chosen."""
    try:
        with table_query(bundle, name, name, options) as query:
            return query.named or options.columns is not None
    except BadRatings:
        return False


def read_catalog(source: object) -> Catalog:
    """The movies of a MovieLens data set. Raises BadRatings where there are none."""
    path = files.as_path(source)
    assert path is not None
    whole = path.is_dir() or files.kind_of(path) == "zip"
    with open_bundle(path if whole else path.parent, depth=2 if whole else 1) as bundle:
        layout = layout_of(bundle, None)
        if layout is None:
            raise BadRatings(f"{bundle.name} holds no catalogue of movies; name the file that does")
        return catalog_of(bundle, layout)


def catalog_of(bundle: Bundle, layout: Layout) -> Catalog:
    """Titles, years, genres and tags of one data set."""
    lines = bundle.text(layout.movies, layout.encoding).splitlines()
    if layout.movies == "u.item":
        return Catalog(dict(movies_100k(lines)))
    if layout.movies == "movies.dat":
        rows = (line.split("::") for line in lines)
        tags = tags_of(bundle, "tags.dat", layout.encoding)
    else:
        rows = csv.reader(lines[1:])  # type: ignore[assignment]
        tags = tags_of(bundle, "tags.csv", layout.encoding)
    return Catalog(dict(movies(rows, tags)))


def profiles_of(bundle: Bundle) -> Profiles:
    """Age, gender and occupation of the users of 100K and 1M; none in the others."""
    if "u.user" in bundle:  # id | age | gender | occupation | zip
        rows = (line.split("|") for line in bundle.text("u.user", "latin-1").splitlines())
        people = {row[0]: (row[2], row[1], row[3]) for row in rows if len(row) >= 4}
    elif "users.dat" in bundle:  # id :: gender :: age :: occupation :: zip
        rows = (line.split("::") for line in bundle.text("users.dat", "latin-1").splitlines())
        people = {row[0]: (row[1], row[2], occupation(row[3])) for row in rows if len(row) >= 4}
    else:
        return NO_PROFILES
    names = ("gender", "age", "occupation")
    return Profiles.of({one: dict(zip(names, row, strict=True)) for one, row in people.items()})


def occupation(number: str) -> str:
    """What an occupation's number in 1M means."""
    return OCCUPATIONS_1M[int(number)] if number.isdecimal() and int(number) < 21 else number


def movies_100k(lines: Iterable[str]) -> Iterator[tuple[str, Item]]:
    """The entries of u.item: id, title, dates, address, and a 0 or 1 for each genre."""
    for line in lines:
        fields = line.split("|")
        if len(fields) >= 5 + len(GENRES_100K):
            flags = zip(GENRES_100K, fields[5:], strict=False)
            genres = tuple(genre for genre, flag in flags if flag == "1")
            yield fields[0], entry(fields[1], genres, ())


def movies(
    rows: Iterable[list[str]], tags: dict[str, tuple[str, ...]]
) -> Iterator[tuple[str, Item]]:
    """The entries of movies.dat or movies.csv: id, title with year, genres."""
    for row in rows:
        if len(row) >= 3:
            yield row[0], entry(row[1], tuple(row[2].split("|")), tags.get(row[0], ()))


def entry(title: str, genres: tuple[str, ...], tags: tuple[str, ...]) -> Item:
    """One item, with year and other titles split off its title."""
    text, year = split_title(title)
    main, other_titles = split_other_titles(text)
    genres_known = tuple(genre for genre in genres if genre not in NO_GENRE)
    features = {"tags": tags} if tags else {}
    return Item(main, year, genres_known, features, other_titles)


def tags_of(bundle: Bundle, name: str, encoding: str) -> dict[str, tuple[str, ...]]:
    """The tags that people gave each movie, in lower case, the most frequent first."""
    if name not in bundle:
        return {}
    text = io.StringIO(bundle.text(name, encoding), newline="")
    rows = csv.reader(text) if name.endswith(".csv") else (line.split("::") for line in text)
    tag_counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if len(row) >= 3 and row[2].strip():
            tag_counts[row[1]][row[2].strip().casefold()] += 1
    return {
        movie: tuple(sorted(counts, key=lambda tag: (-counts[tag], tag)))
        for movie, counts in tag_counts.items()
    }
