"""A browser for tests: Debian's Chromium, driven by Selenium, watched all the time.

Without Chromium these tests are skipped; where MATINEE_TEST_BROWSER is set they fail instead.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest

VARIABLE = "MATINEE_TEST_BROWSER"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
]
SECTIONS = ["find", "list?user=42", "film?item=fight-club-1999", "tastes", "map", "data", "quality"]
LOOKS = [(1200, False), (1200, True), (360, False), (360, True)]  # width, dark
PATIENCE = 20  # seconds
SETTLED = "return document.body && document.body.dataset.ready"
OWN = ("data:", "blob:", "about:", "chrome:", "devtools:")  # addresses that leave nowhere

AXE = """
const done = arguments[arguments.length - 1];
const ends = (one) => one.effect.getComputedTiming().endTime < Infinity;
const moving = document.getAnimations().filter(ends).map((one) => one.finished);
Promise.allSettled(moving) // what fades in is pale before
  .then(() => axe.run(document, { resultTypes: ["violations"] })).then((result) =>
  done(result.violations.map((one) => [one.id, one.nodes.map((node) => node.html)])));
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser whose log of requests and complaints can be read."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        words = f"no {' and '.join(missing)} here (Debian: chromium and chromium-driver)"
        (pytest.fail if os.environ.get(VARIABLE) else pytest.skip)(words)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def size(driver: Any, width: int, height: int = 900, dark: bool = False) -> None:
    """Be a screen of so many pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def violations(driver: Any) -> list[tuple[str, list[str]]]:
    """What axe finds wrong with the accessibility of the page: the rule, and the elements."""
    driver.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    found = driver.execute_async_script(AXE)
    return [(rule, elements) for rule, elements in found]


def complaints(driver: Any) -> list[str]:
    """What the browser has complained of since it was last asked: errors, and policies broken."""
    return [one["message"] for one in driver.get_log("browser") if one["level"] == "SEVERE"]


def asked_for(driver: Any) -> list[str]:
    """The addresses that the page has asked for since this was last asked."""
    events = (json.loads(one["message"])["message"] for one in driver.get_log("performance"))
    found = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [one for one in found if not one.startswith(OWN)]


class Page:
    """The page as a person meets it."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, address: str) -> "Page":
        """Go to a section from somewhere else, so that everything is loaded anew."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/#{address}")
        self.until(lambda: self.driver.execute_script(SETTLED))
        return self

    def until(self, holds: Any) -> Any:
        """Wait for something to hold, and return it."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(
            self.driver, PATIENCE, 0.03, ignored_exceptions=[StaleElementReferenceException]
        )
        return wait.until(lambda _: holds())

    def all(self, selector: str) -> list[Any]:
        """The elements that a CSS selector finds now."""
        return self.driver.find_elements("css selector", selector)

    def some(self, selector: str) -> list[Any]:
        """The same, once there are any."""
        return self.until(lambda: self.all(selector))

    def click(self, selector: str, place: int = 0) -> None:
        """Click on one of the elements."""
        one = self.some(selector)[place]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", one)
        one.click()

    def says(self, words: str, selector: str = "body") -> Any:
        """Wait until some words stand in an element."""
        return self.until(lambda: any(words in one.text for one in self.all(selector)))

    def titles(self) -> list[str]:
        """The titles of the list."""
        return [one.text for one in self.all(".title bdi")]

    @property
    def address(self) -> str:
        return self.driver.execute_script("return location.hash")


def strangers(driver: Any, served: str) -> list[str]:
    """What was asked of anybody but the server."""
    return [one for one in asked_for(driver) if not one.startswith(served)]


def violations_in_every_look(page: Page) -> dict[tuple[int, bool], list[tuple[str, list[str]]]]:
    """What axe finds wrong with an open section: wide and narrow, in light and dark."""
    wrong = {}
    for width, dark in LOOKS:
        size(page.driver, width, dark=dark)
        if one := violations(page.driver):
            wrong[width, dark] = one
    return wrong
