"""``matinee doctor``: the facts are those of the machine, and a remedy names what is missing."""

import json
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import pytest

import matinee
from matinee.cli import run
from matinee.cli.commands import doctor
from matinee.kernels.vectors import LANES

DECLARED = [
    "numpy>=2.0",
    'fastapi>=0.115; extra == "serve"',
    "no-such-thing>=1; extra == 'serve'",  # build tools write either quotes
    'numpy>=2.0; extra == "tune"',
    'pytest>=8; extra == "test"',
]


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(doctor, "distribution", lambda _: SimpleNamespace(requires=DECLARED))


def test_facts_are_those_of_the_machine(installed, capsys, monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", "3")
    assert run(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["matinee"].startswith(f"{matinee.__version__}, ")
    assert f"numpy {np.__version__}" in facts["libraries"]
    assert facts["threads"].startswith("3 of ")
    assert facts["vectors"].startswith((f"{LANES} numbers at once", "none: compilation is off"))
    assert facts["parts"] == {"serve": ["no-such-thing"], "tune": []}


def test_a_part_that_lacks_something_says_what_brings_it(installed, capsys):
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert 'lacks no-such-thing: pip install "matinee[serve]"' in out
    assert ["tune", "installed"] in [line.split() for line in out.splitlines()]
    assert "pytest" not in out


def test_parts_are_unknown_without_an_installation(capsys, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "distribution", absent)
    assert run(["doctor"]) == 0
    assert "this runs from the source" in capsys.readouterr().out


def test_extras_are_those_that_are_declared():
    try:
        declared = set(metadata.metadata("matinee").get_all("Provides-Extra") or [])
    except PackageNotFoundError:
        declared = set(doctor.optional_parts())
    assert set(doctor.optional_parts()) <= declared - doctor.FOR_DEVELOPERS
