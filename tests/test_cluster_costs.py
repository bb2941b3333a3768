"""The page on clusters says what its script works out, and the script works out what it says."""

import pytest

from scripts import script_of


@pytest.fixture(scope="module")
def script():
    return script_of("benchmarks/cluster_costs.py")


@pytest.fixture
def measured(script):
    return script.Measured(
        s=2e-6,
        f=3.0,
        once=1e-5,
        p=3.0,
        m=700.0,
        a=10_000.0,
        python=2e8,
        v=300.0,
        rate=1e10,
        off=0.0,
    )


def test_the_tables_of_the_page_are_those_of_the_script(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page) == page
    assert "1,024" in page


def test_an_epoch_on_a_cluster_by_hand(script, measured):
    found = script.costs(measured, 64)
    assert found["tasks"] == "8"
    assert found["computing, s"] == "625"  # 2e10 ratings x 2 us / 64
    assert (
        found["on the network, s"] == "0.4"
    )  # (2 x 20,000 x 10,000 + 8 x 20,000 x 260) / 1.25 GB/s
    assert found["minutes per epoch"] == "10.5"  # (625 + 0.4 + 3) / 60
    assert found["minutes of packing, once"] == "52.1"
    assert found["shuffled per epoch, GB"] == "1.6"  # 8 x 20,000 x 10,000
    assert found["read per epoch, GB"] == "60"


def test_measured_numbers_are_slopes_of_what_was_measured(script):
    def row(who, ratings, seconds):
        return {
            "what": "counters",
            "who": who,
            "ratings": ratings,
            "users": ratings / 67,
            "items": 20_000,
            "epoch_seconds": seconds,
            "epoch_bytes": 8e8,
            "threads": 2,
            "packed_bytes": 3 * ratings,
            "model_bytes": 10 * ratings,
            "python_mb": 2000.0,
            "found": [{"seconds": seconds + 4e-6 * ratings}],
        }

    sizes = (1e6, 1e7, 5e7)
    rows = [row(who, n, 1.5 + 5e-7 * n) for n in sizes for who in ("matinee", "mllib")]
    found = script.Measured.of(rows)
    assert found.s == pytest.approx(1e-6)
    assert found.f == pytest.approx(1.5)
    assert found.once == pytest.approx(8e-6)
    assert found.p == 3
    assert found.a == pytest.approx(20_000)
    assert script.distinct(1e9, 10) == pytest.approx(10)


def test_sizes_are_those_of_a_stated_vector_width(script):
    """Not of the processor that runs the script: 65 unknowns are padded to 80 or to 72."""
    assert script.bytes_of_sums(20_000) == script.bytes_of_sums(20_000, script.AVX512)
    assert script.bytes_of_sums(1, script.AVX512) - script.bytes_of_sums(1, script.AVX2) == 8 * (
        (16 * (80 + 64 + 48 + 32) + 16) - (8 * (72 + 64 + 56 + 48 + 40 + 32 + 24 + 16) + 8)
    )


def test_an_epoch_on_accelerators_by_hand(script):
    found = script.device_costs(8)
    memory = 2 * 1.25 * 2e10 * (16 * 65 + 12) + (3e8 + 2e4) * 12 * 65**2  # 6.8e13 bytes
    assert found["reading and writing its memory, s"] == f"{memory / 3.35e12 / 8:.1f}" == "2.5"
    assert found["ratings and rows over the bus, s"] == "1.5"  # (6e11 + 1.6e11) / 64e9 / 8
    assert found["seconds of an epoch at least"] == "2.5"
    assert found["seconds of an epoch, measured"] == "not measured"
