"""The table of README is what ``benchmarks/beside_peers.py`` measured."""

from scripts import script_of


def test_the_table_of_readme_is_that_of_the_script():
    script = script_of("benchmarks/highlights.py")
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page) == page
    assert page.count("| a draw |") < len(script.SHOWN)


def test_a_stale_table_is_replaced():
    script = script_of("benchmarks/highlights.py")
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page.replace("Steam", "steam")) == page
