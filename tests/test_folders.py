"""Folders that somebody else wrote: refused in one sentence, or read with the right values."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import matinee
from matinee.algorithms import ALGORITHMS, MF, ItemKNN
from matinee.cli import run
from matinee.data.packed import PackedRatings
from matinee.disk.reading import checksum
from matinee.errors import BadModel, BadRatings
from matinee.models import load
from matinee.storage import model_files
from test_contract import ratings_of

FUZZED = settings(max_examples=150, derandomize=True)


@pytest.fixture(scope="module")
def model():
    return MF(n_factors=2, n_epochs=2).fit(ratings_of())


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory) -> Path:
    return model.save(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    train = ratings_of()
    columns = train.users.ids[train.user], train.items.ids[train.item], train.rating
    return matinee.pack(columns, tmp_path_factory.mktemp("packed") / "packed").path


@pytest.fixture
def pack_folder(packed, tmp_path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "packed"))


def reseal(folder: Path, change) -> None:
    """Change the manifest of a folder, and give it the checksum of its new contents."""
    file = next(one for one in (folder / "model.json", folder / "packed.json") if one.exists())
    manifest = json.loads(file.read_bytes())
    del manifest["checksum"]
    change(manifest)
    file.write_text(json.dumps({**manifest, "checksum": checksum(manifest)}))


def replace_file(folder: Path, name: str, data: bytes, file: str | None = None) -> None:
    """Put other bytes in the place of a file, with a manifest that vouches for them."""

    def change(manifest: dict) -> None:
        entry = manifest["files"][name]
        digest = hashlib.sha256(data).hexdigest()
        entry |= {"sha256": digest, "bytes": len(data)}
        if file is None:
            suffix = entry["file"].rsplit(".", 1)[1]
            entry["file"] = f"{name}-{digest[:12]}.{suffix}"
        (folder / entry["file"]).write_bytes(data)

    reseal(folder, change)


def replace_arrays(folder: Path, change) -> None:
    """Change the arrays of a model, and reseal it."""
    (file,) = folder.glob("arrays-*")
    arrays = load_file(file)
    change(arrays)
    save_file(arrays, folder / "new")
    replace_file(folder, "arrays", (folder / "new").read_bytes())


def is_refused(folder: Path, words: str | None = None) -> None:
    """Loading fails at once, in one sentence."""
    began = time.monotonic()
    packed = (folder / "packed.json").exists()
    error, opening = (BadRatings, PackedRatings.open) if packed else (BadModel, load)
    with pytest.raises(error, match=words) as caught:
        opening(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.monotonic() - began < 5


def opened(opening, folder: Path):
    """What a folder holds, or None where it is refused in one sentence."""
    try:
        return opening(folder)
    except (BadModel, BadRatings) as refusal:
        sentence = str(refusal)
    assert "\n" not in sentence
    return None


# What a manifest may name.


@pytest.mark.parametrize(
    "name",
    ["../outside.json", "/dev/zero", "/etc/passwd", "catalog-0123456789ab.json/..", "", "a\0b"],
)
def test_a_manifest_names_files_of_its_folder_alone(folder, name):
    (folder.parent / "outside.json").write_text("{}")
    reseal(folder, lambda it: it["files"]["catalog"].update(file=name))
    is_refused(folder, "which no file of it can be called")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("name", ["model.json", "arrays", "catalog"])
def test_a_pipe_or_a_device_is_not_waited_for(folder, name):
    (file,) = folder.glob(f"{name}*")
    file.unlink()
    os.mkfifo(file)
    is_refused(folder, "missing" if name == "model.json" else "not a regular file")
    file.unlink()
    file.symlink_to("/dev/zero")
    is_refused(folder, "missing" if name == "model.json" else "not a regular file")


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 100_000, b"\xff", b""])
def test_a_manifest_that_is_no_manifest_is_refused(folder, pack_folder, text):
    for place, name in ((folder, "model.json"), (pack_folder, "packed.json")):
        (place / name).write_bytes(text)
        is_refused(place)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[1]", b"7", b'{"1": {"title": 3}}'])
def test_a_catalogue_that_is_none_is_refused(folder, pack_folder, text):
    replace_file(folder, "catalog", text)
    is_refused(folder)
    replace_file(pack_folder, "catalog.json", text, "catalog.json")
    is_refused(pack_folder)


def test_a_manifest_nested_deep_is_refused(folder):
    deep: list = []
    for _ in range(200):
        deep = [deep]
    reseal(folder, lambda it: it["facts"].update(deep=deep))
    is_refused(folder, "nested too deep")


@pytest.mark.parametrize(
    "field, value",
    [
        ("$type", "Scale"),
        ("$type", "os.system"),
        ("kind", 3),
        ("scale", {"$type": "Scale", "low": "one", "high": 5}),
        ("users", {"$ids": "item", "whole_numbers": False}),
        ("users", {"$shared": "ratings"}),
        ("seen", {"$array": "user_factors"}),
        ("user_embeddings", None),
        ("settings", []),
        ("unknown", 1),
    ],
)
def test_a_manifest_of_other_types_is_refused(folder, field, value):
    if (field, value) == ("users", {"$ids": "item", "whole_numbers": False}):
        value = {"$ids": "nobody", "whole_numbers": False}
    reseal(folder, lambda it: it.update({field: value}))
    is_refused(folder)


# What arrays may hold.


def cut(name: str):
    return lambda it: it.update({name: it[name][:-1].copy()})


def put(name: str, at: int, value: float):
    def change(arrays: dict) -> None:
        arrays[name][at] = value

    return change


def retype(name: str, dtype: str):
    return lambda it: it.update({name: it[name].astype(dtype)})


def test_every_array_that_is_one_shorter_is_refused(folder, saved):
    (file,) = saved.glob("arrays-*")
    for name in load_file(file):
        shutil.rmtree(folder)
        shutil.copytree(saved, folder)
        replace_arrays(folder, cut(name))
        is_refused(folder)


@pytest.mark.parametrize(
    "change, words",
    [
        (put("seen_items", 0, 10**6), "outside 0..39"),
        (put("seen_items", 0, -1), "outside 0..39"),
        (put("seen_indptr", 3, 10**9), "does not ascend"),
        (put("seen_indptr", 0, 5), "does not bound"),
        (put("seen_ratings", 0, np.nan), "not finite"),
        (put("user_id_ends", 3, 10**6), "does not ascend"),
        (put("user_ids", 0, 0xFF), "not text in UTF-8"),
        (put("user_factors", 0, np.inf), "not finite"),
        (put("item_counts", 0, 10**6), "counts of the ratings"),
        (retype("seen_items", "int64"), "type int64"),
        (retype("user_factors", "float64"), "type float64"),
        (lambda it: it.update(extra=np.zeros(3, np.float32)), "no array 'extra'"),
        (lambda it: it.pop("item_bias") is None, "item_bias"),
        (lambda it: it.update(user_ids=it["user_ids"] * 0 + 65), "twice"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(folder, change, words):
    replace_arrays(folder, change)
    is_refused(folder, words)


def test_neighbors_out_of_range_are_refused(tmp_path):
    place = ItemKNN().fit(ratings_of()).save(tmp_path / "model")
    replace_arrays(place, put("weights_neighbors", 0, 10**6))
    is_refused(place, "outside 0..39")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of many factors for few ratings
@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_kind_of_model_keeps_the_laws(name, tmp_path):
    fitted = ALGORITHMS[name]().fit(ratings_of())
    again = load(fitted.save(tmp_path / "model"))
    assert list(again.recommend("u003", 5)) == list(fitted.recommend("u003", 5))


def test_a_mapped_model_is_checked_by_its_digest_too(folder, monkeypatch):
    monkeypatch.setattr(model_files, "MAP_FROM", 0)
    (file,) = folder.glob("arrays-*")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    is_refused(folder, "checksum does not match")


# Packed ratings.


@pytest.mark.parametrize(
    "name, value",
    [
        ("ratings", ["|O", 10]),
        ("ratings", ["O", 10]),
        ("offsets", ["<f8", 61]),
        ("items", ["<i4", -1]),
        ("items", ["<i4", 10**12]),
        ("items", [["a", "b"], 3]),
        ("user_ids", None),
    ],
)
def test_a_type_or_length_that_an_array_cannot_have_is_refused(pack_folder, name, value):
    reseal(pack_folder, lambda it: it["arrays"].update({name: value}))
    is_refused(pack_folder)


@pytest.mark.parametrize("field, value", [("levels", [1.0]), ("levels", "x"), ("scale", [5, 1])])
def test_levels_and_scale_are_checked(pack_folder, field, value):
    reseal(pack_folder, lambda it: it.update({field: value}))
    is_refused(pack_folder)


@pytest.mark.parametrize(
    "name, dtype, at, value",
    [
        ("offsets", "<i8", 1, 10**9),
        ("items", "|u1", 0, 255),
        ("ratings", "|u1", 0, 255),
        ("item_counts", "<i8", 0, 7_000),
        ("user_id_ends", "<i8", 0, -8),
    ],
)
def test_packed_arrays_that_do_not_fit_are_refused(pack_folder, name, dtype, at, value):
    array = np.fromfile(pack_folder / name, dtype)
    array[at] = value
    replace_file(pack_folder, name, array.tobytes(), name)
    is_refused(pack_folder)


# Fuzzing.


def flipped(data: bytes, at: int, bit: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


@seed(14)
@FUZZED
@given(st.data())
def test_a_flipped_bit_of_a_model_is_refused(saved, model, tmp_path_factory, data):
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("flip") / "model"))
    file = data.draw(st.sampled_from(sorted(one.name for one in folder.iterdir())))
    at, bit = data.draw(st.integers(0, 10**6)), data.draw(st.integers(0, 7))
    (folder / file).write_bytes(flipped((folder / file).read_bytes(), at, bit))
    found = opened(load, folder)
    if found is not None:  # white space of the manifest
        assert np.array_equal(found.user_factors, model.user_factors)
        assert found.seen.values.tolist() == model.seen.values.tolist()
    shutil.rmtree(folder.parent)


@seed(14)
@FUZZED
@given(st.data())
def test_a_flipped_bit_that_is_resealed_is_refused_or_answers(saved, tmp_path_factory, data):
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("flip") / "model"))
    name = data.draw(st.sampled_from(["arrays", "catalog"]))
    (file,) = folder.glob(f"{name}-*")
    whole = file.read_bytes()
    at = data.draw(st.integers(0, 3000) | st.integers(0, 10**6))
    replace_file(folder, name, flipped(whole, at, data.draw(st.integers(0, 7))))
    found = opened(load, folder)
    if found is not None:
        for user in found.users.ids[:5]:
            assert len(found.recommend(user, 3, exclude_seen=False).item_id) == 3
            assert found.explain(user, found.items.ids[0]).score is not None
    shutil.rmtree(folder.parent)


@seed(14)
@FUZZED
@given(st.data())
def test_a_flipped_bit_of_packed_ratings_is_refused(packed, tmp_path_factory, data):
    folder = Path(shutil.copytree(packed, tmp_path_factory.mktemp("flip") / "packed"))
    file = data.draw(st.sampled_from(sorted(one.name for one in folder.iterdir())))
    at, bit = data.draw(st.integers(0, 10**6)), data.draw(st.integers(0, 7))
    (folder / file).write_bytes(flipped((folder / file).read_bytes(), at, bit))
    resealed = file != "packed.json" and data.draw(st.booleans())
    if resealed:
        replace_file(folder, file, (folder / file).read_bytes(), file)
    found = opened(PackedRatings.open, folder)
    if found is not None:
        if resealed:
            assert np.isfinite(MF(n_factors=2, n_epochs=1).fit_packed(found).item_factors).all()
        else:
            assert found.in_memory().rating.tolist() == ratings_of().rating.tolist()
    shutil.rmtree(folder.parent)


# The command.


def test_verify_says_whether_a_folder_is_whole(folder, pack_folder, capsys):
    for place, n_files in ((folder, 3), (pack_folder, 10)):
        assert run(["verify", str(place)]) == 0
        assert f"intact: {n_files} files" in capsys.readouterr().err
    (file,) = folder.glob("arrays-*")
    file.write_bytes(flipped(file.read_bytes(), 1000, 3))
    assert run(["verify", str(folder)]) == 5
    assert "checksum does not match" in capsys.readouterr().err
    (pack_folder / "ratings").write_bytes(flipped((pack_folder / "ratings").read_bytes(), 3, 0))
    assert run(["verify", str(pack_folder)]) == 3
    assert "checksum does not match" in capsys.readouterr().err
