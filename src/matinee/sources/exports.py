"""The ratings of one person from a file: an export of Letterboxd or IMDb, or a table.

    Letterboxd   ratings.csv, or the zip it comes in: Name, Year, Rating in 0.5..5
    IMDb         Const, Your Rating in 1..10, Title, Year
    a table      item_id (or title, year) and rating, on the scale of the model

Films are found by id, by IMDb id where the catalogue has one, or else by title and year. A row with
more cells than there are columns has a title with commas that no quotes enclose. Titles that are
nearly one of the catalogue are not taken for it, but offered. Rows whose rating is no number, or is
outside the scale, are set aside and counted.
"""

import csv
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import filterfalse
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.data.read_report import Case, Finding
from matinee.data.scale import Scale
from matinee.display.text import counted
from matinee.errors import BadRatings
from matinee.sources import files
from matinee.sources.checks import CASES_SHOWN
from matinee.sources.columns import plain
from matinee.sources.raw import REASON, Fault
from matinee.sources.titles import split_title

IMDB_FEATURES = {"imdb", "imdbid", "imdb_id", "const", "tconst"}  # where a catalogue may have ids
NOT_A_LETTER = re.compile(r"[\W_]+")
YEAR_LAST = re.compile(r"(.*\S), ?((?:18|19|20)\d\d)")  # "Star Wars, 1977"
NEAR = 0.8  # likeness of titles, of which one may be the other misspelt
MOST_SUGGESTIONS = 10  # rows that a near title is looked for
ARTICLE_FIRST = re.compile(r"^(the|a|an) ")
ACCEPTED = "what is taken is item_id or title, and rating; or ratings.csv of Letterboxd or IMDb"
COLUMNS = {
    "id": ("itemid", "movieid", "const", "imdbid", "id"),
    "title": ("title", "name"),
    "year": ("year",),
    "rating": ("rating", "yourrating", "stars"),
}


class ExportRow(NamedTuple):
    """One row of a file, as it stands there."""

    item_id: str
    title: str
    year: int | None
    rating: float
    line: int = 0  # of the file

    def __str__(self) -> str:
        name = self.title or self.item_id
        return name if self.year is None else f"{name} ({self.year})"

    @property
    def case(self) -> Case:
        """Where it stands, and what it says."""
        return Case(f"line {self.line}", f"{self.rating:g} for {self}")


class Export(NamedTuple):
    """A file of ratings of one person."""

    kind: str  # "Letterboxd", "IMDb" or "table"
    scale: Scale | None  # None: that of the model
    rows: tuple[ExportRow, ...]
    unrated: int  # rows without a rating
    name: str = "the file"
    set_aside: tuple[Finding, ...] = ()  # rows whose rating is no number


@dataclass(frozen=True)
class ExportMatch:
    """An export matched to the items of a model."""

    history: Mapping[object, float]  # item id -> rating, on the model's scale
    unmatched: tuple[ExportRow, ...]
    near: Mapping[ExportRow, str]  # titles like those of the first rows that are unmatched
    twice: int  # rows superseded by a later one of the same item
    set_aside: tuple[Finding, ...] = ()  # rows whose rating is no number, or outside the scale

    def __len__(self) -> int:
        return len(self.history)

    def missed(self, most: int) -> str:
        """The first rows that are unmatched, each with a title like its own where there is one."""
        return missed(self.unmatched[:most], self.near)


def missed(rows: Sequence[ExportRow], near: Mapping[ExportRow, str]) -> str:
    """Rows that no film was found for, each with a title like its own where there is one."""
    hints = (f" (did you mean {near[row]}?)" if row in near else "" for row in rows)
    return "; ".join(f"{row}{hint}" for row, hint in zip(rows, hints, strict=True))


def read_export(path: str | Path) -> Export:
    """The ratings in a file. Raises BadRatings when there are none, or no column to know films by.

    Rows without a rating, or with one that is no number, are counted and not taken.
    """
    path = Path(path)
    files.check_exists(path)
    name = files.name_of(path)
    lines = list(csv.reader(text_of(path).splitlines()))
    if not lines:
        raise BadRatings(f"{name} is empty; {ACCEPTED}")
    names = [plain(column) for column in lines[0]]
    at = {
        field: next((names.index(one) for one in known if one in names), None)
        for field, known in COLUMNS.items()
    }
    if at["rating"] is None or (at["id"] is None and at["title"] is None):
        raise BadRatings(f"{name} has the columns {', '.join(map(repr, lines[0]))}; {ACCEPTED}")
    rows, unrated, not_numbers = [], 0, []
    for number, line in enumerate(lines[1:], start=2):
        line = with_whole_title(line, len(names), at["title"])
        cells = {
            field: line[place].strip() if place is not None and place < len(line) else ""
            for field, place in at.items()
        }
        if not cells["rating"]:
            unrated += bool(any(line))
        elif (rating := number_in(cells["rating"])) is None:
            not_numbers.append(Case(f"line {number}", repr(cells["rating"])))
        else:
            rows.append(row_of(cells, rating, number))
    set_aside = findings(not_numbers, REASON[Fault.NOT_A_NUMBER])
    if not rows:
        found = [f"{counted(unrated, 'row')} without a rating"] * bool(unrated)
        reasons = ", ".join([*map(str, set_aside), *found]) or "it has not one row"
        raise BadRatings(f"there are no ratings in {name}: {reasons}")
    kind, scale = "table", None
    if "letterboxduri" in names:
        kind, scale = "Letterboxd", Scale(0.5, 5)
    elif "const" in names:
        kind, scale = "IMDb", Scale(1, 10)
    return Export(kind, scale, tuple(rows), unrated, name, set_aside)


def findings(cases: Sequence[Case], reason: str) -> tuple[Finding, ...]:
    """The finding that some rows share, with the first of them; none where there are no rows."""
    return (Finding(reason, len(cases), tuple(cases[:CASES_SHOWN])),) if cases else ()


def with_whole_title(line: list[str], n_columns: int, title: int | None) -> list[str]:
    """The cells of a line, of which those beyond the columns belong to the title before them."""
    while len(line) > n_columns and not line[-1].strip():
        line = line[:-1]
    extra = len(line) - n_columns
    if extra <= 0 or title is None:
        return line
    end = title + 1 + extra
    return [*line[:title], ",".join(line[title:end]), *line[end:]]


def number_in(cell: str) -> float | None:
    """The finite number that a cell holds; None where there is none."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) else None


def row_of(cells: Mapping[str, str], rating: float, line: int) -> ExportRow:
    """One row from its cells."""
    title, year = split_title(cells["title"]) if cells["title"] else ("", None)
    if year is None and (dated := YEAR_LAST.fullmatch(title)):
        title, year = dated[1], int(dated[2])
    year = int(cells["year"]) if cells["year"].isdecimal() else year
    return ExportRow(cells["id"], title, year, rating, line)


def text_of(path: Path) -> str:
    """The text of a file, or of ratings.csv in a zip. Raises BadRatings where there is none."""
    name = files.name_of(path)
    if path.is_dir():
        raise BadRatings(f"{name} is a folder; name the file in it that holds the ratings")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inside = [one for one in archive.namelist() if Path(one).name == "ratings.csv"]
                if not inside:
                    raise BadRatings(f"{name} holds no ratings.csv")
                return archive.read(min(inside, key=len)).decode("utf-8-sig")
        return path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadRatings(f"{name} cannot be read as text: {reason}") from None


def match(export: Export, items: IdMap, catalog: Catalog, scale: Scale) -> ExportMatch:
    """The items of a model that the rows are of, and their ratings on its scale.

    Of several rows for one item the last counts; ratings outside their scale are set aside. Raises
    BadRatings when no row is left.
    """
    known, source = Titles(items, catalog), export.scale or scale
    history: dict[object, float] = {}
    unmatched, outside, twice = [], [], 0
    for row in export.rows:
        item_id = known.find(row)
        if item_id is None:
            unmatched.append(row)
        elif not source.low <= row.rating <= source.high:
            outside.append(row.case)
        else:
            twice += item_id in history
            history[item_id] = brought_to(row.rating, source, scale)
    near = {
        row: title for row in unmatched[:MOST_SUGGESTIONS] if (title := known.near(row)) is not None
    }
    set_aside = export.set_aside + findings(outside, f"{REASON[Fault.OUTSIDE]} {source}")
    if not history and outside:
        raise BadRatings(
            f"{export.name}: {'; '.join(map(str, set_aside))}; no rating is left, so write them "
            f"as numbers from {source.low:g} to {source.high:g}"
        )
    if not history:
        some = missed(unmatched[:3], near)
        raise BadRatings(
            f"{export.name}: the model knows none of what was rated, "
            f"{counted(len(unmatched), 'film')}: {some}"
        )
    return ExportMatch(history, tuple(unmatched), near, twice, set_aside)


def brought_to(rating: float, source: Scale, target: Scale) -> float:
    """A rating brought from one scale to another: lowest to lowest, highest to highest."""
    if source == target:
        return rating
    share = (rating - source.low) / (source.high - source.low)
    return target.low + share * (target.high - target.low)


class Titles:
    """The items of a catalogue by id, IMDb id, and title with year.

    With its year a title may lack what follows a colon: Star Wars, 1977.
    """

    def __init__(self, items: IdMap, catalog: Catalog) -> None:
        self.items, self.catalog = items, catalog
        self.by_name: dict[tuple[str, int | None], list[str]] = {}
        self.by_main_title: dict[tuple[str, int | None], list[str]] = {}
        self.by_imdb: dict[str, str] = {}
        for item_id in items:
            entry = catalog[item_id]
            for name in {one for title in entry.names[1:] for one in spellings(title)}:
                for year in {entry.year, None}:
                    self.by_name.setdefault((name, year), []).append(item_id)
            for name in {one for title in entry.names[1:] for one in spellings(main_title(title))}:
                self.by_main_title.setdefault((name, entry.year), []).append(item_id)
            for name, values in entry.features.items():
                if plain(name) in IMDB_FEATURES:
                    self.by_imdb |= {one.removeprefix("tt").lstrip("0"): item_id for one in values}

    def find(self, row: ExportRow) -> str | None:
        """The one item that a row is of; None where there is none, or more than one."""
        if row.item_id and row.item_id in self.items:
            return row.item_id
        number = row.item_id.removeprefix("tt").lstrip("0")
        if number in self.by_imdb:
            return self.by_imdb[number]
        years: list[int | None] = [row.year]
        if row.year is not None:  # festivals and cinemas differ by a year
            years += [row.year - 1, row.year + 1]
        for year in years:
            matches = {
                one for name in spellings(row.title) for one in self.by_name.get((name, year), ())
            }
            if matches:
                return self._as_written(row.title, matches)
        names = [*spellings(row.title)] if row.year is not None else []
        matches = {one for name in names for one in self.by_main_title.get((name, row.year), ())}
        return matches.pop() if len(matches) == 1 else None

    def _as_written(self, title: str, matches: set[str]) -> str | None:
        """The only match, or the only one of several that has the very title: Heat, not The Heat.

        None where that leaves several.
        """
        written = title.casefold()
        same = {one for one in matches if written in map(str.casefold, self.catalog[one].names)}
        best = same or matches
        return next(iter(best)) if len(best) == 1 else None

    def near(self, row: ExportRow) -> str | None:
        """The title, with its year, that is most like that of a row; None where none is near.

        With a year, only films of that year or one beside it are looked at.
        """
        (spelled, *_) = [*spellings(row.title), ""]
        if not spelled:
            return None
        years = {None} if row.year is None else {row.year - 1, row.year, row.year + 1}
        names = {name: ids[0] for (name, year), ids in self.by_name.items() if year in years}
        found = get_close_matches(spelled, names, n=1, cutoff=NEAR)
        return self.catalog.label(names[found[0]]) if found else None


def main_title(title: str) -> str:
    """A title up to its first colon."""
    return title.partition(":")[0]


def spellings(title: str) -> Iterator[str]:
    """A title as it is compared: small letters and digits; also what stands outside brackets.

    Letters go without their accents: the same film is Amelie in one place and Amélie in another.
    """
    unaccented = "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", title)))
    for text in dict.fromkeys((unaccented, unaccented.partition(" (")[0])):
        bare = NOT_A_LETTER.sub(" ", text.casefold().replace("&", " and ")).strip()
        if bare:
            yield ARTICLE_FIRST.sub("", bare)
