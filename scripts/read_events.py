"""Reads event files with TensorBoard's EventAccumulator and checks what is in them."""

import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read(path):
    # 0 keeps every event.
    sizes = dict.fromkeys(["scalars", "images", "histograms", "tensors"], 0)
    events = EventAccumulator(str(path), size_guidance=sizes)
    events.Reload()
    return events


logs, picture = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()

events = read(logs / "everything")
scalars = [(event.step, event.value) for event in events.Scalars("scalar")]
assert scalars == [(step, step * 0.5) for step in range(5)], scalars
(image,) = events.Images("image")
assert (image.step, image.width, image.height) == (1, 32, 32), image
assert image.encoded_image_string == picture
(histogram,) = events.Histograms("histogram")
value = histogram.histogram_value
assert (value.min, value.max, value.num, value.sum) == (-1.5, 4.0, 5.0, 3.0), value
assert sum(value.bucket) == 5.0, value
(batch,) = events.Tensors("batch")
assert list(batch.tensor_proto.string_val) == [b"32", b"32"] + [picture] * 3
assert events.SummaryMetadata("batch").plugin_data.plugin_name == "images"
(text,) = events.Tensors("text")
assert list(text.tensor_proto.string_val) == [b"some *text*"]
assert events.SummaryMetadata("text").plugin_data.plugin_name == "text"
assert [node.name for node in events.Graph().node] == ["image", "conv"]
assert list(events.Graph().node[1].input) == ["image"]

events = read(logs / "class")
methods = {"grad-cam", "occlusion", "integrated-gradients", "guided"}
assert set(events.Tags()["images"]) == {"input"} | {f"class-3/{method}" for method in methods}

events = read(logs / "visualize")
images = set(events.Tags()["images"])
wanted = {"input"} | {
    f"{layer}/{part}"
    for layer in ("relu1", "relu4", "fc")
    for part in ("activations", "gradient", "deconvnet", "guided")
}
assert wanted <= images, wanted - images
assert "seconds/forward" in events.Tags()["scalars"]
assert any(node.op == "MaxPool" for node in events.Graph().node)
for tag in images:
    (image,) = events.Images(tag)
    assert image.encoded_image_string.startswith(b"\x89PNG"), tag

events = read(logs / "segment")
assert set(events.Tags()["images"]) == {"input", "classes"}, events.Tags()
(classes,) = events.Images("classes")
assert (classes.width, classes.height) == (45, 37), classes

print("TensorBoard reads everything back")
