"""The pictures of the page in docs/images: ``python docs/render_page.py``.

Needs the extra ``test``, Debian's chromium and chromium-driver, and Pillow to make them small.
"""

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import matinee
from matinee.cli.walkthrough import READABLE
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from browser import chromium, size  # noqa: E402
from serving import answering  # noqa: E402

WIDTH = 1000
COLORS = 256
PICTURES = {  # name: (address, what to click, height)
    "page-why.png": ("list?user=1761", "ol.films button", 1400),
    "page-map.png": ("map", None, 1090),
}


def main() -> None:
    """Draw every picture."""
    folder = Path(tempfile.mkdtemp())
    READABLE.fit(matinee.sample()).save(folder / "model")
    store = Store.at(folder / "feedback.sqlite")
    with answering(ServerState(folder / "model", store)) as client, chromium() as driver:
        for name, (address, click, height) in PICTURES.items():
            size(driver, WIDTH, height)
            driver.get("about:blank")
            driver.get(f"{client.base_url}/#{address}")
            time.sleep(2)
            if click:
                driver.find_element("css selector", click).click()
                time.sleep(1)
            place = HERE / "images" / name
            driver.save_screenshot(str(place))
            Image.open(place).convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE).save(
                place, optimize=True
            )
            print(place, file=sys.stderr)
    store.close()


if __name__ == "__main__":
    main()
