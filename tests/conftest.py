"""Real data for tests: looked for in MATINEE_TEST_DATA, else in ../shared/data beside the project.

Without the variable a missing data set skips its tests; with it, a missing data set fails them.
So it is with the server's extra: its tests are left out where it is not installed.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import matinee
from matinee.data.ratings import Ratings
from matinee.disk.locks import folder_lock
from matinee.models import Model

if TYPE_CHECKING:
    from matinee.feedback.store import Store

VARIABLE = "MATINEE_TEST_DATA"
NO_SERVER = find_spec("fastapi") is None and VARIABLE not in os.environ
OF_THE_SERVER = ["server*", "feedback*", "page_files", "online", "erasing", "api_client"]
collect_ignore_glob = ["page", *(f"test_{one}.py" for one in OF_THE_SERVER)] if NO_SERVER else []
os.environ["COLUMNS"] = "100"  # output is as wide alone as under a runner that has a terminal
settings.register_profile("matinee", deadline=None)  # how long an example takes is no law
settings.load_profile("matinee")
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_report_header() -> str:
    return "the server is not tested: its extra is not installed" if NO_SERVER else ""


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with ml-100k.zip, ml-1m.zip and ml-latest-small.zip."""
    given = os.environ.get(VARIABLE)
    folder = Path(given) if given else BESIDE
    if not folder.is_dir():
        missing(f"no folder {folder}")
    return folder


def missing(what: str) -> None:
    """Fail where real data were promised, skip where they were not."""
    if os.environ.get(VARIABLE):
        pytest.fail(f"{what}, though {VARIABLE} is set")
    pytest.skip(f"{what}: real data are not here (set {VARIABLE} to a folder that has them)")


def found(folder: Path, name: str) -> Path:
    """One data set in the folder."""
    if not (folder / name).is_file():
        missing(f"no {name} in {folder}")
    return folder / name


@pytest.fixture(scope="session")
def ml_100k(data_folder: Path) -> Path:
    return found(data_folder, "ml-100k.zip")


@pytest.fixture(scope="session")
def ml_1m(data_folder: Path) -> Path:
    return found(data_folder, "ml-1m.zip")


@pytest.fixture(scope="session")
def ml_latest_small(data_folder: Path) -> Path:
    return found(data_folder, "ml-latest-small.zip")


@pytest.fixture(scope="session")
def ratings_100k(ml_100k: Path) -> Ratings:
    return matinee.read_ratings(ml_100k)


@pytest.fixture(scope="session")
def ratings_1m(ml_1m: Path) -> Ratings:
    return matinee.read_ratings(ml_1m)


@pytest.fixture(scope="session")
def ratings_latest_small(ml_latest_small: Path) -> Ratings:
    return matinee.read_ratings(ml_latest_small)


@pytest.fixture(scope="session")
def list_models(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Model]:
    """Models for lists by data set ("sample", "ml-100k", ...) and algorithm.

    Each is fitted once, by whichever of the workers of pytest-xdist asks first.
    """
    algorithms = {"nmf": matinee.NMF(), "mf": matinee.MF(), "default": None}
    fixtures = {"ml-100k": "ratings_100k", "ml-1m": "ratings_1m"}
    fixtures |= {"ml-latest-small": "ratings_latest_small"}
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent  # of all workers

    @cache
    def fitted(of: str, algorithm: str) -> Model:
        place = folder / f"{of}-{algorithm}"
        with folder_lock(place.with_suffix(".fit"), seconds=600):
            if not place.exists():
                name = fixtures.get(of)
                ratings = request.getfixturevalue(name) if name else matinee.sample()
                matinee.fit(ratings, algorithms[algorithm]).save(place)
        return matinee.load(place)

    return fitted


@pytest.fixture(scope="session")
def folder_100k(ml_100k: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ml-100k unpacked: for u1.base, u1.test and the other given splits."""
    import zipfile

    folder = tmp_path_factory.mktemp("real")
    zipfile.ZipFile(ml_100k).extractall(folder)
    return folder / "ml-100k"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """An empty PostgreSQL database; see ``databases``."""
    import databases

    programs = databases.programs()
    if programs is None:
        missing("no PostgreSQL (Debian: postgresql)")
    with databases.postgresql(programs) as url:
        yield url


@pytest.fixture
def store(tmp_path: Path) -> "Iterator[Store]":
    """An empty feedback store in a file of its own."""
    from matinee.feedback.store import Store

    one = Store.at(tmp_path / "feedback.sqlite")
    yield one
    one.close()
