"""What the benchmark of a GPU does where there is none, and how its bars are counted."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from scripts import script_of


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return script_of("benchmarks/gpu.py")


@pytest.fixture
def run(gpu, monkeypatch, tmp_path):
    """Runs the script; the rows that it wrote, None where there is no file."""

    def rows(*arguments: str) -> list[dict] | None:
        monkeypatch.setenv("MATINEE_THREADS", "2")
        monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments, "--results", str(tmp_path)])
        gpu.main()
        return [json.loads(one) for one in (tmp_path / "gpu.jsonl").read_text().splitlines()]

    return rows


def test_without_a_gpu_a_sentence_is_all(run, monkeypatch, tmp_path, capsys):
    import jax

    def none(backend):
        raise RuntimeError(backend)

    monkeypatch.setattr(jax, "local_devices", none)
    with pytest.raises(SystemExit) as end:
        run()
    assert str(end.value).startswith("nothing is measured, and nothing written: ")
    assert "JAX finds no GPU here" in str(end.value)
    assert not list(tmp_path.iterdir())
    assert not capsys.readouterr().out


def test_a_device_stands_beside_our_kernels(run, gpu, monkeypatch):
    monkeypatch.setattr(gpu, "LISTED", 20)
    monkeypatch.setattr(gpu, "bandwidth", lambda device: 1e6)
    monkeypatch.setattr(gpu, "arithmetic", lambda device: 1e12)
    seconds = lambda: 2.0 if gpu.accelerator() is None else 0.5  # noqa: E731
    monkeypatch.setattr(gpu, "seconds_of_fits", lambda fit: (seconds(), fit(1)))
    few = "--millions", "0.002", "--factors", "4", "--fits", "mf", "--items"
    ours, lists, theirs, their_lists = run(*few, "--device", "cpu")
    assert [one["device"] for one in (ours, lists, theirs, their_lists)] == [
        *("ours", "ours", "cpu", "cpu"),
    ]
    assert theirs["times_ours"] == 4.0
    n_bytes = 2 * 4 * theirs["size"] * 4 * (2 + 2)
    assert theirs["of_roofline"] == pytest.approx(n_bytes / 1e6 / 0.5, abs=1e-3)
    assert theirs["bar"] is None, "bars are of a GPU"
    assert ours["times_ours"] is ours["of_roofline"] is lists["bar"] is None


@pytest.mark.parametrize(
    "size, seconds, of_roofline, bar",
    [
        (100_000_000, 2.0, 0.6, "met"),
        (100_000_000, 2.1, 0.6, "misses 30 times ours"),
        (100_000_000, 2.1, 0.4, "misses 50% of the roofline and 30 times ours"),
        (1_000_000, 20.0, 0.5, "met"),
        (1_000_000, 20.0, 0.49, "misses 50% of the roofline"),
    ],
)
def test_bars(gpu, size, seconds, of_roofline, bar):
    same = {"what": "epoch of mf", "size": size, "n_factors": 64}
    ours = same | {"device": "ours", "seconds": 60.0}
    row = same | {"device": "gpu", "seconds": seconds, "of_roofline": of_roofline}
    assert gpu.bars(row, [ours])["bar"] == bar
    assert gpu.bars(ours, [])["bar"] is None
    lists = same | {"what": "lists of mf", "device": "gpu", "seconds": 1.0}
    assert gpu.bars(lists, [ours])["bar"] is None


def test_speeds_of_a_device_are_measured(gpu, monkeypatch):
    import jax

    monkeypatch.setattr(gpu, "COPIED", 1 << 16)
    monkeypatch.setattr(gpu, "MULTIPLIED", 128)
    (device,) = jax.local_devices(backend="cpu")[:1]
    assert gpu.bandwidth.__wrapped__(device) > 0
    assert gpu.arithmetic.__wrapped__(device) > 0


def test_the_longer_of_traffic_and_arithmetic_is_the_roofline(gpu, monkeypatch):
    ratings = SimpleNamespace(n_users=6, n_items=3, __len__=lambda: 100)
    monkeypatch.setattr(gpu, "len", lambda _: 100, raising=False)
    monkeypatch.setattr(gpu, "bandwidth", lambda device: 2.0 * 4 * 100 * 8 * 4)  # a second
    monkeypatch.setattr(gpu, "arithmetic", lambda device: 1e9)
    assert gpu.share(ratings, 8, 2, True, 2.0) == 0.5
    operations = 2 * 100 * 2 * 64 + 9 * 512 / 3
    monkeypatch.setattr(gpu, "arithmetic", lambda device: operations / 3)  # three seconds
    assert gpu.share(ratings, 8, 2, True, 4.0) == 0.75


def test_the_peer_needs_cuda(gpu, monkeypatch, capsys):
    names = {"implicit.gpu.als": SimpleNamespace(), "implicit.gpu": SimpleNamespace(HAS_CUDA=False)}
    monkeypatch.setattr(gpu, "import_module", names.__getitem__)
    assert not list(gpu.peer_rows(None, [64]))
    assert "installed without CUDA" in capsys.readouterr().out


def test_the_peer_is_timed_by_the_difference_of_its_fits(gpu, monkeypatch):
    fits = []

    class Peer:
        def __init__(self, factors: int, iterations: int) -> None:
            fits.append((factors, iterations))

        def fit(self, matrix: object, show_progress: bool) -> None:
            assert matrix == "who rated what"

    names = {
        "implicit.gpu.als": SimpleNamespace(AlternatingLeastSquares=Peer),
        "implicit.gpu": SimpleNamespace(HAS_CUDA=True),
    }
    monkeypatch.setattr(gpu, "import_module", names.__getitem__)
    monkeypatch.setattr(gpu, "version", lambda name: "0.7.2")

    class Table:
        def __len__(self) -> int:
            return 5

        def csr(self) -> SimpleNamespace:
            return SimpleNamespace(astype=lambda dtype: "who rated what")

    (row,) = gpu.peer_rows(Table(), [64])
    assert fits == [(64, 4), (64, 1), (64, 4)]
    assert (row["device"], row["what"], row["size"]) == (
        "gpu, implicit",
        "epoch of implicit-als",
        5,
    )
