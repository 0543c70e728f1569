"""Jobs of `unpool.ray` in one process, which need no Ray: files, resuming, and what is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import unpool
import unpool.ray
from conftest import MODELS, same_bits
from unpool.ray import _store
from unpool._images import Preprocessing

DIGITS = MODELS / "digits.onnx"
RULES = ["guided", "grad-cam", ("smoothgrad", {"samples": 3})]


def digits(directory, count):
    """Digits in files, each shifted by some pixels."""
    directory.mkdir()
    known = json.loads((MODELS / "digits.json").read_text())
    images = np.array(known["image"], np.float32).reshape(known["image_shape"])[:, 0]
    for i in range(count):
        shifted = np.roll(images[i % 3], (i // 9 - 2, i % 9 - 4), (0, 1))
        Image.fromarray(np.rint(shifted * 255).astype(np.uint8)).save(directory / f"{i:03}.png")
    return directory


def tree(out):
    """The files of a directory, and what they hold."""
    found = {}
    for at, _, files in os.walk(out):
        for file in files:
            path = os.path.join(at, file)
            with open(path, "rb") as opened:
                found[os.path.relpath(path, out)] = opened.read()
    return found


def times(out):
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def explain(dataset, out, **options):
    options = {"rules": "guided", "actors": 0, "progress": False, **options}
    return unpool.ray.explain(dataset, DIGITS, out=out, **options)


def command(*arguments):
    return [sys.executable, "-W", "error", "-m", "unpool.ray", *map(str, arguments)]


def test_arrays_are_those_of_the_network(tmp_path):
    images = digits(tmp_path / "in", 4)
    out = tmp_path / "out"
    report = explain(images, out, format="npy", rules=RULES, targets=["best", ("class", 3)])
    assert report[:4] == (4, 4, 0, [])
    network = unpool.Network(DIGITS)
    for file in sorted(images.iterdir()):
        item = json.loads((out / "items" / file.name / "item.json").read_text())
        assert item["name"] == file.name and len(item["maps"]) == 6
        pixels = np.asarray(Image.open(file), np.float32)[None, None] / np.float32(255)
        scores = network.forward(pixels)[0]
        for record in item["maps"]:
            number = int(scores.argmax()) if record["target"] == "best" else 3
            assert record["class"] == number and record["score"] == scores[number]
            target = ("class", number)
            if record["rule"] == "guided":
                network.forward(pixels)
                expected = network.look_back(network.scores, target, "guided").map
            elif record["rule"] == "grad-cam":
                network.forward(pixels)
                expected = network.class_activation(network.scores, target)
            else:
                made = network.attribute(pixels, network.scores, target, "smoothgrad", samples=3)
                expected = made.map
            found = np.load(out / "items" / file.name / record["file"])
            assert same_bits(found, expected[0]), record


def test_pictures_are_red_where_the_target_is_raised(tmp_path):
    out = tmp_path / "out"
    explain(digits(tmp_path / "in", 2), out, rules=["gradient", "grad-cam"])
    explain(tmp_path / "in", tmp_path / "maps", rules=["gradient", "grad-cam"], format="npy")
    for picture in sorted((out / "items").glob("*/*.png")):
        pixels = np.asarray(Image.open(picture)).astype(int)
        assert pixels.shape == (32, 32, 3)
        if "grad-cam" in picture.name:
            assert (pixels[..., 2] < 200).all()
            continue
        name = tmp_path / "maps" / picture.relative_to(out).with_suffix(".npy")
        map_ = np.load(name).sum(axis=0)
        strong = np.abs(map_) > 0.1 * np.abs(map_).max()
        redder = pixels[..., 0] > pixels[..., 2] + 5
        assert strong.any() and (redder[strong] == (map_ > 0)[strong]).all()


def test_units_of_layers(tmp_path):
    network = unpool.Network(DIGITS)
    layer = network.last_maps
    out = tmp_path / "out"
    targets = ["layer", ("strongest", 1), ("unit", 1, 2)]
    explain(digits(tmp_path / "in", 1), out, layers=[layer], targets=targets, format="npy")
    item = json.loads((out / "items" / "000.png" / "item.json").read_text())
    assert [record["target"] for record in item["maps"]] == ["layer", "strongest-1", "unit-1-2"]
    assert item["maps"][2]["unit"]["position"] == 2 and "unit" not in item["maps"][0]


def test_parquet_has_the_maps_of_the_arrays(tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    images = digits(tmp_path / "in", 5)
    explain(images, tmp_path / "table", format="parquet", group=2, rules=RULES)
    explain(images, tmp_path / "arrays", format="npy", rules=RULES)
    parts = sorted((tmp_path / "table" / "parts").iterdir())
    assert [part.name for part in parts] == [f"part-00000{i}.parquet" for i in range(3)]
    rows = [row for part in parts for row in parquet.read_table(part).to_pylist()]
    assert len(rows) == 15
    for row in rows:
        item = tmp_path / "arrays" / "items" / row["name"]
        records = json.loads((item / "item.json").read_text())["maps"]
        record = next(record for record in records if record["rule"] == row["rule"])
        expected = np.load(item / record["file"])
        assert same_bits(np.array(row["map"], np.float32).reshape(row["shape"]), expected)
        assert row["class"] == record["class"] and row["score"] == np.float32(record["score"])


@pytest.mark.parametrize("format", ["png", "npy", "parquet"])
def test_a_run_that_was_killed_goes_on(tmp_path, format):
    if format == "parquet":
        pytest.importorskip("pyarrow")
    images, out = digits(tmp_path / "in", 40), tmp_path / "out"
    options = {"format": format, "group": 4, "rules": [("smoothgrad", {"samples": 8})]}
    code = (
        "import unpool.ray\n"
        f"unpool.ray.explain({str(images)!r}, {str(DIGITS)!r}, out={str(out)!r}, actors=0, "
        f"progress=False, **{options!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    pattern = "parts/*" if format == "parquet" else "items/*/item.json"
    while len(list(out.glob(pattern))) < 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = list(out.glob(pattern))
    before = {path: path.stat().st_mtime_ns for path in there}
    each = 4 if format == "parquet" else 1
    assert 3 <= len(there) < 40 // each
    report = explain(images, out, **options)
    assert report[:3] == (40, 40 - each * len(there), each * len(there))
    assert {path: path.stat().st_mtime_ns for path in there} == before
    explain(images, tmp_path / "once", **options)
    assert tree(out) == tree(tmp_path / "once")
    before = times(out)
    assert explain(images, out, **options)[:3] == (40, 0, 40) and times(out) == before


def test_the_number_of_threads_changes_no_byte(tmp_path):
    arguments = ("--rule", "gradient", "--rule", "grad-cam", "--format", "npy", "--actors", 0, "--quiet")
    line = ("explain", MODELS / "flowers.onnx", MODELS / "tulips.jpg", *arguments, "--out")
    for threads in (1, 3):
        subprocess.run(
            command(*line, tmp_path / str(threads)),
            env={**os.environ, "RAYON_NUM_THREADS": str(threads)},
            check=True,
            capture_output=True,
        )
    one = tree(tmp_path / "1")
    assert one == tree(tmp_path / "3") and len(one) == 4


def test_another_job_is_refused(tmp_path):
    images, out = digits(tmp_path / "in", 2), tmp_path / "out"
    explain(images, out)
    before = tree(out)
    for options, key in (
        ({"rules": "gradient"}, "maps was"),
        ({"targets": ("class", 1)}, "maps was"),
        ({"format": "npy"}, 'format was "png" and is "npy"'),
        ({"std": 0.5}, "preprocessing was"),
        ({"device": "gpu"}, 'device was "cpu" and is "gpu"'),
    ):
        with pytest.raises(ValueError, match=key):
            explain(images, out, **options)
    other = tmp_path / "other.onnx"
    # Bytes of an unknown field of the same length: another file, and the same network.
    other.write_bytes(DIGITS.read_bytes() + b"\x9a\x06\x00")
    with pytest.raises(ValueError, match="model was"):
        unpool.ray.explain(images, other, out=out, rules="guided", actors=0, progress=False)
    with pytest.raises(ValueError, match="operation was"):
        unpool.ray.pool(images, 2, out=out, actors=0, progress=False)
    assert tree(out) == before
    with pytest.raises(ValueError, match="has files and no job.json, such as 000.png"):
        explain(images, images)


def test_more_images_are_computed_alone_and_change_groups(tmp_path):
    images, out = digits(tmp_path / "in", 3), tmp_path / "out"
    explain(images, out)
    shutil.copy(images / "000.png", images / "000a.png")
    assert explain(images, out)[:3] == (4, 1, 3)
    pytest.importorskip("pyarrow")
    explain(images, tmp_path / "table", format="parquet")
    (images / "000a.png").unlink()
    with pytest.raises(ValueError, match="items was"):
        explain(images, tmp_path / "table", format="parquet")


@pytest.mark.parametrize("format", ["png", "parquet"])
def test_a_broken_image_is_reported_and_the_others_go_on(tmp_path, format):
    if format == "parquet":
        pytest.importorskip("pyarrow")
    images, out = digits(tmp_path / "in", 6), tmp_path / "out"
    whole = (images / "002.png").read_bytes()
    (images / "002.png").write_bytes(b"no picture")
    (images / "004.png").write_bytes(whole[: len(whole) // 2])
    report = explain(images, out, format=format, group=3)
    assert report[:3] == (6, 4, 0)
    assert [name for name, _ in report.failed] == ["002.png", "004.png"]
    assert report.failed[0][1] == "not an image that Pillow can read"
    assert json.loads((out / "failed.json").read_text()) == [list(pair) for pair in report.failed]
    (images / "002.png").write_bytes(whole)
    report = explain(images, out, format=format, group=3)
    assert report.computed == (5 if format == "parquet" else 1) and len(report.failed) == 1
    shutil.copy(images / "003.png", images / "004.png")
    report = explain(images, out, format=format, group=3)
    assert not report.failed and not (out / "failed.json").exists()
    explain(images, tmp_path / "once", format=format, group=3)
    assert tree(out) == tree(tmp_path / "once")


def test_an_image_of_the_wrong_shape_is_reported(tmp_path):
    images = {"a": np.zeros((32, 32), np.uint8), "b": np.zeros((1, 9, 9), np.float32)}
    report = explain(images, tmp_path / "out")
    assert report.computed == 1 and report.failed[0][0] == "b" and "9" in report.failed[0][1]


def test_items_and_their_names(tmp_path):
    images = digits(tmp_path / "in", 2)
    (images / "below").mkdir()
    shutil.copy(images / "000.png", images / "below" / "000.png")
    (images / "notes.txt").write_text("no image")
    out = tmp_path / "out"
    assert explain(images, out).items == 3
    names = sorted(path.name for path in (out / "items").iterdir())
    assert names == ["000.png", "001.png", "below%2F000.png"]
    listed = explain([images / "001.png", images / "below" / "000.png"], tmp_path / "listed")
    assert listed.items == 2 and (tmp_path / "listed/items/below%2F000.png/item.json").exists()
    stack = np.stack([np.asarray(Image.open(images / f"00{i}.png")) for i in range(2)])
    np.save(tmp_path / "stack.npy", stack)
    explain(tmp_path / "stack.npy", tmp_path / "stacked")
    explain(stack, tmp_path / "given")
    assert tree(tmp_path / "stacked") == tree(tmp_path / "given")
    made = tree(tmp_path / "stacked")
    guided = next(name for name in made if name.startswith("items/0/") and name.endswith(".png"))
    assert made[guided] == tree(out)[guided.replace("/0/", "/000.png/")]
    for dataset, error, message in (
        ([images / "000.png", images / "000.png"], ValueError, "two items named '000.png'"),
        ({}, ValueError, "no items"),
        (tmp_path / "none", FileNotFoundError, "there is no"),
        (7, TypeError, "dataset is int"),
        ({"x" * 300: stack[0]}, ValueError, "cannot be the name"),
    ):
        with pytest.raises(error, match=message):
            explain(dataset, tmp_path / "refused")


def test_pixels_become_what_the_network_was_trained_on():
    pixel = np.array([[[255, 128, 0]]], np.uint8)
    for preset, expected in (
        ("unit", [1, 0.502, 0]),
        ("imagenet", [2.249, 0.205, -1.804]),
        ("keras", [1, 0.004, -1]),
        ("byte", [255, 128, 0]),
        ("caffe", [-103.939, 11.221, 131.32]),
    ):
        network = unpool.Network(MODELS / "flowers.onnx")
        found = Preprocessing.of(network, preset)._replace(size=(1, 1)).tensor(pixel)
        assert found.shape == (1, 3, 1, 1)
        assert np.allclose(found.ravel(), expected, atol=1e-3), preset
    reader = Preprocessing(3, (2, 2), True, (0.0,), (1.0,), False)
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 255
    # The middle is cut out, not the whole squeezed.
    assert same_bits(reader.tensor(wide), np.ones((1, 2, 2, 3), np.float32))
    floats = np.random.default_rng(1).random((3, 5, 7), np.float32)
    assert same_bits(reader.tensor(floats), floats[None])
    # The sixth orientation of EXIF: the camera was turned by a quarter.
    turned, file = Image.fromarray(np.arange(8, dtype=np.uint8).reshape(2, 4)), BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(file, "PNG", exif=exif)
    upright = Preprocessing(1, None, False, (0.0,), (1 / 255,), False).tensor(file.getvalue())
    assert np.array_equal(np.rint(upright[0, 0]), np.rot90(np.arange(8).reshape(2, 4), -1))


def test_what_does_not_fit_the_network_is_refused(tmp_path):
    images = {"a": np.zeros((32, 32), np.uint8)}
    maps = unpool.Network(DIGITS).last_maps
    for options, error, message in (
        ({"rules": "grad"}, ValueError, "rule 'grad' is unknown"),
        ({"rules": ("guided", {"steps": 3})}, ValueError, "takes"),
        ({"rules": ("smoothgrad", {"stairs": 3})}, TypeError, "stairs"),
        ({"targets": "bets"}, ValueError, "target is 'bets'"),
        ({"targets": ("class", 10)}, ValueError, "has 10 channels"),
        ({"layers": [maps]}, ValueError, 'target "best" is a class'),
        ({"layers": ["nope"]}, ValueError, "'nope' is not a layer"),
        ({"layers": "fc"}, TypeError, "layers is a str"),
        ({"rules": []}, ValueError, "no map"),
        ({"rules": ["guided", "guided"]}, ValueError, "two maps would be named"),
        ({"format": "jpeg"}, ValueError, "format is 'jpeg'"),
        ({"preset": "vgg"}, ValueError, "preset 'vgg' is unknown"),
        ({"preset": "unit", "mean": 1}, ValueError, "one or the other"),
        ({"mean": [1, 2, 3]}, ValueError, "1 or 1 numbers"),
        ({"std": 0}, ValueError, "other than 0"),
        ({"size": (31, 32)}, ValueError, r"size is \(31, 32\)"),
        ({"group": 0}, ValueError, "group is 0"),
        ({"actors": -1}, ValueError, "actors is -1"),
    ):
        with pytest.raises(error, match=message):
            explain(images, tmp_path / "out", **options)


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    store = _store.open_store(str(tmp_path))
    store.write("a/b", b"first")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name in ("a/b", "a/c"):
        with pytest.raises(OSError, match="No space"):
            store.write(name, b"second")
    assert store.names() == {"a/b"} and store.read("a/b") == b"first" and not store.has("a/c")
    store.clear()
    assert tree(tmp_path) == {"a/b": b"first"}


def test_a_store_elsewhere_has_the_same_files(tmp_path):
    pytest.importorskip("pyarrow")
    fsspec = pytest.importorskip("fsspec")
    images = digits(tmp_path / "in", 3)
    (images / "001.png").write_bytes(b"")
    explain(images, tmp_path / "out")
    place = "fsspec+memory://bucket/out"
    report = explain(images, place)
    assert report.computed == 2 and len(report.failed) == 1
    memory = fsspec.filesystem("memory")
    start = "/bucket/out/"
    found = {name.removeprefix(start): memory.cat(name) for name in memory.find(start)}
    assert found == tree(tmp_path / "out")
    shutil.copy(images / "000.png", images / "001.png")
    assert explain(images, place)[:4] == (3, 1, 2, [])
    with pytest.raises(ValueError, match="maps was"):
        explain(images, place, rules="gradient")
    for file in images.iterdir():
        memory.pipe(f"/bucket/in/{file.name}", file.read_bytes())
    assert explain("fsspec+memory://bucket/in", place)[:4] == (3, 0, 3, [])
    explain("fsspec+memory://bucket/in", tmp_path / "read")
    explain(images, tmp_path / "again")
    assert tree(tmp_path / "read") == tree(tmp_path / "again")


@pytest.mark.parametrize("window", [{"kernel": 2}, {"kernel": 3, "stride": 1, "padding": "same"}])
def test_what_was_pooled_is_unpooled(tmp_path, rng, window):
    arrays = {
        "floats": rng.random((2, 3, 7, 9)).astype(np.float32),
        "bytes": rng.integers(0, 28, (3, 8, 8), np.uint8),
        "plane": rng.integers(-9, 9, (6, 7), np.int32),
    }
    pooled, back = tmp_path / "pooled", tmp_path / "back"
    assert unpool.ray.pool(arrays, out=pooled, actors=0, progress=False, **window).computed == 3
    report = unpool.ray.unpool(pooled / "items", out=back, overlap="sum", actors=0, progress=False)
    assert report.computed == 3
    for name, array in arrays.items():
        layout = {2: "hw", 3: "chw", 4: "nchw"}[array.ndim]
        values, taps = unpool.max_pool(array, **window, layout=layout)
        found, found_taps = unpool.ray.load_pooled(pooled / "items" / f"{name}.npz")
        assert same_bits(found, values) and found_taps == taps
        restored = unpool.max_unpool(values, taps, overlap="sum")
        assert same_bits(np.load(back / "items" / f"{name}.npz.npy"), restored)
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = tmp_path / "table"
    unpool.ray.pool(arrays, out=table, format="parquet", actors=0, progress=False, **window)
    rows = parquet.read_table(table / "parts" / "part-000000.parquet").to_pylist()
    assert [row["name"] for row in rows] == sorted(arrays)
    for row in rows:
        values, taps = unpool.ray.load_pooled(pooled / "items" / f"{row['name']}.npz")
        assert row["values"] == values.tobytes() and row["taps"] == taps.array.tobytes()
        assert (row["element"], row["shape"]) == (values.dtype.name, list(values.shape))


def test_images_are_pooled_by_channel(tmp_path):
    out = tmp_path / "out"
    photograph = MODELS / "tulips.jpg"
    unpool.ray.pool([photograph], 2, out=out, actors=0, progress=False)
    values, _ = unpool.ray.load_pooled(out / "items" / "tulips.jpg.npz")
    pixels = np.asarray(Image.open(photograph).convert("RGB"))
    assert same_bits(values, unpool.max_pool_values(pixels, 2, layout="hwc"))


def test_what_is_no_archive_is_reported(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    report = unpool.ray.unpool(
        [tmp_path / "other.npz"], out=tmp_path / "out", actors=0, progress=False
    )
    assert report.failed == [
        ("other.npz", "the archive lacks ['geometry', 'taps', 'values']; those that pool wrote have them")
    ]


def test_without_ray_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    images = digits(tmp_path / "in", 1)
    with pytest.raises(ImportError, match=r"pip install 'unpool\[ray\]'.*actors=0"):
        explain(images, tmp_path / "out", actors=2)
    assert explain(images, tmp_path / "out").computed == 1


def test_without_pyarrow_nothing_is_computed_for_parquet(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    images = digits(tmp_path / "in", 1)
    with pytest.raises(ImportError, match="format parquet needs pip install pyarrow"):
        explain(images, tmp_path / "out", format="parquet")
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path):
    images, out = digits(tmp_path / "in", 4), tmp_path / "out"
    (images / "003.png").write_bytes(b"")
    arguments = (
        "explain", DIGITS, images, "--out", out, "--actors", 0, "--quiet", "--rule", "guided",
        "--rule", "grad-cam", "--target", "best", "--target", "class:3",
    )  # fmt: skip
    done = subprocess.run(command(*arguments), capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("4 items: 3 computed, on CPU")
    assert done.stdout.endswith("; 0 were there; 1 failed\n")
    assert done.stderr == "003.png: not an image that Pillow can read\n"
    explain(
        images, tmp_path / "function", rules=["guided", "grad-cam"], targets=["best", ("class", 3)]
    )
    assert tree(out) == tree(tmp_path / "function")
    (images / "003.png").unlink()
    done = subprocess.run(command(*arguments), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "3 items: 0 computed; 3 were there; 0 failed\n")
    done = subprocess.run(command(*arguments, "--std", 2), capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: out holds results of another job: preprocessing was")
    pooled, back = tmp_path / "pooled", tmp_path / "back"
    pooling = ("pool", images, "--kernel", "3,2", "--padding", "same", "--out", pooled)
    for arguments in (pooling, ("unpool", pooled / "items", "--out", back)):
        done = subprocess.run(
            command(*arguments, "--actors", 0, "--quiet"), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    image = np.asarray(Image.open(images / "000.png"))
    values, taps = unpool.max_pool(image, (3, 2), padding="same", layout="hw")
    assert same_bits(
        np.load(back / "items" / "000.png.npz.npy"), unpool.max_unpool(values, taps)
    )
