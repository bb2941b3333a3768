"""How fast the page follows a hand, in a real browser: the mixer's list, and the map's frames.

    python benchmarks/page.py

Needs Chromium and its driver (Debian: chromium, chromium-driver) and selenium. The browser has no
screen and paints on the processor, which it shares with the server. "mixer": from the input event
of a slider to the changed list, and to the first frame after it, for the default model of
MovieLens 1M. "map": frames of a map of 100,000 made films, while it is zoomed and dragged.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import matinee
from data import ROOT, folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee.models import load
from matinee.sources import read_ratings
from serving import serving
from tables import table

sys.path.insert(0, str(ROOT / "tests"))
from browser import chromium, size

KEY = ("name", "scale")
PEOPLE, MOVES = 8, 24  # moves of sliders for each person
N_FILMS, N_PEOPLE, N_RATINGS = 100_000, 20_000, 1_000_000  # of the made catalogue
FRAMES = 60

MOVE = """
const [moves, done] = arguments;
const rows = document.querySelector("ol.films");
const sliders = [...document.querySelectorAll(".sliders input")];
const changed = () => new Promise((resolve) => {
  const observer = new MutationObserver(() => {
    observer.disconnect();
    resolve(performance.now());
  });
  observer.observe(rows, { childList: true });
});
const frame = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
});
(async () => {
  const found = [];
  sliders[0].focus();
  await frame();
  for (let move = 0; move < moves; move += 1) {
    const slider = sliders[move % sliders.length];
    slider.value = 0.5 + 0.25 * ((3 * move) % 8);
    const started = performance.now();
    const change = changed();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const at = await change;
    found.push([at - started, (await frame()) - started]);
  }
  return found;
})().then(done);
"""

GLIDE = """
const [frames, scale, done] = arguments;
const canvas = document.querySelector(".map canvas");
const { left, top, width, height } = canvas.getBoundingClientRect();
const [x, y] = [left + width / 3, top + height / 2];
const pointer = (type, dx) => canvas.dispatchEvent(new PointerEvent(type, {
  pointerId: 1, clientX: x + dx, clientY: y, bubbles: true,
}));
const wheel = (deltaY) => canvas.dispatchEvent(new WheelEvent("wheel", {
  deltaY, clientX: x, clientY: y, bubbles: true,
}));
canvas.setPointerCapture = () => null; // of a pointer that is made up
const next = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
(async () => {
  while (Number(canvas.dataset.scale || 1) < scale) {
    wheel(-100);
    await next();
  }
  const times = [];
  pointer("pointerdown", 0);
  let before = await next();
  for (let frame = 0; frame < frames; frame += 1) {
    if (scale > 1) pointer("pointermove", 4 * ((frame % 30) - 15));
    else wheel(frame % 2 ? -4 : 4);
    const now = await next();
    times.push(now - before);
    before = now;
  }
  pointer("pointerup", 0);
  return times;
})().then(done);
"""


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--model", help="a model of MovieLens 1M; the default is fitted unless given"
    )
    parser.add_argument("--data", help="the folder with ml-1m.zip")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    parser.add_argument("--only", choices=("mixer", "map"), help="one of the two")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        rows = [] if asked.only == "map" else [mixer(fitted(asked, Path(where)), Path(where))]
        rows += [] if asked.only == "mixer" else map_rows(Path(where))
    for row in rows:
        load = {"load_average": round(os.getloadavg()[0], 1)}
        keep(Path(asked.results) / "page.jsonl", rounded(row) | load | circumstances(1), KEY)
    print(table(rows))


def rounded(row: Row) -> Row:
    """Milliseconds to a tenth, as clocks of browsers are no finer."""
    return {name: round(value, 1) if name.endswith("ms") else value for name, value in row.items()}


def fitted(asked: argparse.Namespace, where: Path) -> Path:
    """The default model of MovieLens 1M."""
    if asked.model:
        return Path(asked.model)
    return matinee.fit(read_ratings(folder_of_data(asked.data) / "ml-1m.zip")).save(where / "model")


@contextmanager
def opened(model: Path, where: Path) -> Iterator[tuple[Any, str]]:
    """A browser, and the address of a server of a model."""
    with serving(model, where) as server, chromium() as driver:
        driver.set_script_timeout(300)
        size(driver, 1280)
        yield driver, server.url.split("?")[0].split("#")[0].rstrip("/")


def open_section(driver: Any, address: str) -> None:
    """Open a section anew, and wait until it is drawn."""
    driver.get("about:blank")
    driver.get(address)
    ready = "const done = arguments[0]; (function look() { document.body?.dataset.ready ? "
    driver.execute_async_script(ready + "setTimeout(done, 500) : setTimeout(look, 50) })()")


def mixer(model: Path, where: Path) -> Row:
    """Milliseconds from a slider's input to the list, and to the frame that shows it."""
    users = load(model).users.ids
    drawn = np.random.default_rng(0).choice(len(users), PEOPLE + 1, replace=False)
    found: list[list[float]] = []
    with opened(model, where) as (driver, url):
        for place, user in enumerate(drawn):
            open_section(driver, f"{url}/#list?user={users[user]}")
            moves = driver.execute_async_script(MOVE, MOVES)
            found += moves if place else []  # the first visit warms server and browser up
    changed, shown = np.array(found).T
    return {
        "name": "mixer: a slider to the list",
        "n": len(found),
        "median_ms": float(np.median(changed)),
        "p99_ms": float(np.quantile(changed, 0.99)),
        "shown_median_ms": float(np.median(shown)),
        "shown_p99_ms": float(np.quantile(shown, 0.99)),
    }


def made_catalogue(place: Path) -> Path:
    """A model of 100,000 films: a few are rated often, most hardly ever, and each at least once."""
    rng = np.random.default_rng(0)
    weights = np.arange(1, N_FILMS + 1) ** -0.8
    drawn = rng.choice(N_FILMS, N_RATINGS, p=weights / weights.sum())
    items = np.concatenate([np.arange(N_FILMS), drawn])
    users = rng.integers(0, N_PEOPLE, len(items))
    taste = (items % 7 - 3) * (users % 5 - 2) / 4
    values = np.clip(np.round(3 + taste + rng.normal(0, 0.7, len(items))), 1, 5)
    first = np.unique(users * N_FILMS + items, return_index=True)[1]
    ratings = read_ratings((users[first], items[first], values[first]))
    return matinee.MF(n_factors=8, n_epochs=3).fit(ratings).save(place)


def map_rows(where: Path) -> list[Row]:
    """Milliseconds between frames, of the whole map and of a part that is dragged."""
    rows = []
    with opened(made_catalogue(where / "films"), where) as (driver, url):
        for scale in (1, 4, 16):
            open_section(driver, f"{url}/#map?color=taste")
            times = driver.execute_async_script(GLIDE, FRAMES, scale)[5:]
            rows.append(
                {
                    "name": f"map of {N_FILMS:,}: {'zoomed' if scale == 1 else 'dragged'}",
                    "scale": scale,
                    "n": len(times),
                    "median_ms": float(np.median(times)),
                    "p99_ms": float(np.quantile(times, 0.99)),
                }
            )
    return rows


if __name__ == "__main__":
    main()
