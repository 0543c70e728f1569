"""Sheets of images, and the command that comes with the package."""

import subprocess
import sys

import numpy as np
import pytest

import unpool
from conftest import MODELS

Image = pytest.importorskip("PIL.Image")

FLOWERS = MODELS / "flowers.onnx"


@pytest.fixture(scope="module")
def network():
    return unpool.Network(FLOWERS)


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (60, 80, 3), np.uint8)


def test_a_sheet_is_the_one_that_the_command_writes(network, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    sheet = network.sheet(tmp_path / "photo.png", methods=["grad-cam", "gradient"])
    assert sheet.format == "PNG" and sheet.width > 500
    command = [sys.executable, "-m", "unpool", "visualize", FLOWERS, tmp_path / "photo.png"]
    options = ["--method", "grad-cam,gradient", "--device", "cpu", "--out", tmp_path / "out"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = Image.open(tmp_path / "out" / "photo.png")
    assert np.array_equal(np.asarray(sheet), np.asarray(written))


def test_images_of_every_kind_give_the_same_sheet(network, photo, tmp_path):
    grey = np.ascontiguousarray(photo[:, :, 0])
    Image.fromarray(grey).save(tmp_path / "image 0.png")
    kinds = [grey, np.stack([grey] * 3, axis=2), Image.fromarray(grey), grey[::-1][::-1]]
    sheets = [network.sheet(kind, methods="gradient") for kind in kinds]
    sheets += [network.sheet(str(tmp_path / "image 0.png"), methods="gradient")]
    for sheet in sheets[1:]:
        assert np.array_equal(np.asarray(sheet), np.asarray(sheets[0]))


def test_a_list_gives_a_list(network, photo):
    sheets = network.sheet([photo, photo[:30, :30]], methods="gradient")
    assert len(sheets) == 2
    alone = network.sheet(photo, methods="gradient")
    assert np.array_equal(np.asarray(sheets[0]), np.asarray(alone))


def test_names_of_classes(network, photo):
    count = network.forward(np.zeros((1, *_dims(network)), np.float32)).shape[1]
    names = [f"flower {n}" for n in range(count)]
    named = network.sheet(photo, labels=names, classes=["flower 1"], methods="gradient")
    numbered = network.sheet(photo, labels=names, classes=1, methods="gradient")
    assert np.array_equal(np.asarray(named), np.asarray(numbered))
    other = network.sheet(photo, classes=1, methods="gradient")
    assert not np.array_equal(np.asarray(named), np.asarray(other))


def _dims(network):
    return tuple(dim or 64 for dim in network.input_shape[1:])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"classes": 1000}, "classes 1000"),
        ({"classes": "no such flower"}, "classes no such flower: no class of this name"),
        ({"layers": "nowhere"}, "nowhere"),
        ({"methods": "magic"}, "methods"),
        ({"preset": "magic"}, "preset"),
        ({"labels": ["one"]}, "labels"),
        ({"mean": [0.1, 0.2]}, "mean: 2 numbers"),
        ({"std": 0.0}, "std"),
        ({"fit": "stretch"}, "fit"),
        ({"size": (1, 1)}, "size"),
        ({"channel": -1}, "channel"),
    ],
)
def test_what_is_refused_is_named_as_in_python(network, photo, parameters, message):
    with pytest.raises(ValueError, match=message) as refused:
        network.sheet(photo, **parameters)
    assert "--" not in str(refused.value)


def test_what_is_no_picture_is_refused(network, tmp_path):
    with pytest.raises(TypeError, match=r"images\[0\] is an array of float64"):
        network.sheet(np.zeros((4, 4)))
    with pytest.raises(TypeError, match=r"shape \(4, 4, 2\)"):
        network.sheet(np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match="0×4 pixels"):
        network.sheet(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(FileNotFoundError):
        network.sheet(tmp_path / "no.png")


def test_a_bar_counts_the_images(network, photo, monkeypatch):
    tqdm = pytest.importorskip("tqdm.auto")
    counted = []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            counted.append(n)
            return super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    network.sheet([photo] * 3, methods="gradient")
    assert counted == [1, 1, 1]


def test_an_exception_of_a_bar_ends_the_sheets(network, photo, monkeypatch):
    tqdm = pytest.importorskip("tqdm.auto")

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            raise KeyboardInterrupt

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    with pytest.raises(KeyboardInterrupt):
        network.sheet([photo] * 3, methods="gradient")


def test_the_command_says_what_is_wrong_in_one_line():
    command = [sys.executable, "-m", "unpool", "visualize", "nowhere.onnx", "nowhere.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "nowhere" in done.stderr
    version = [sys.executable, "-m", "unpool", "--version"]
    done = subprocess.run(version, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("unpool ")


def test_prepared_photographs_are_what_the_command_reads(network, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    prepared = network.prepare(tmp_path / "photo.png")
    assert prepared.shape == (1, *_dims(network)) and prepared.dtype == np.float32
    for kind in (photo, Image.fromarray(photo), str(tmp_path / "photo.png")):
        assert np.array_equal(network.prepare(kind), prepared)
    command = [sys.executable, "-m", "unpool", "run", FLOWERS, tmp_path / "photo.png"]
    options = ["--device", "cpu", "--out", tmp_path / "scores.npy"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scores = np.load(tmp_path / "scores.npy")
    # Pillow and the command round a resized pixel differently now and then.
    assert np.allclose(network.forward(prepared), scores, atol=0.05)
    with pytest.raises(ValueError, match="preset 'magic' is unknown"):
        network.prepare(photo, preset="magic")
    with pytest.raises(ValueError, match="size is"):
        network.prepare(photo, size=(1, 1))
