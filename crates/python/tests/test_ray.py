"""Jobs of `unpool.ray` on a cluster of two raylets: the files are those of one process."""

import os
import shutil
import subprocess
import threading
import time

import numpy as np
import pytest

import unpool.ray
from conftest import ROOT
from test_ray_alone import DIGITS, command, digits, explain, times, tree
from unpool.ray.__main__ import _parser

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="Ray is not installed: UNPOOL_RAY=1 scripts/test-python")
pytest.importorskip("ray.data")

# Ray leaves files and sockets to the end of the process.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]

MEMORY = 100 << 20
#: A rule that takes some time, and rules that look back from the responses of the image.
RULES = ["guided", "grad-cam", ("smoothgrad", {"samples": 8})]


@pytest.fixture(scope="module")
def cluster():
    """Two raylets with a CPU each; what runs on one cannot run on the other as well."""
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": MEMORY,
            "include_dashboard": False,
            # A lost machine is noticed in two seconds, and not in thirty.
            "_system_config": {
                "health_check_initial_delay_ms": 0,
                "health_check_period_ms": 500,
                "health_check_timeout_ms": 1000,
                "health_check_failure_threshold": 3,
            },
        },
    )
    made.second = made.add_node(num_cpus=1, object_store_memory=MEMORY)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def test_files_and_datasets_give_the_files_of_one_process(cluster, tmp_path):
    images = digits(tmp_path / "in", 30)
    (images / "007.png").write_bytes(b"")
    for format in ("npy", "parquet"):
        options = {"format": format, "group": 8}
        once = tmp_path / f"{format}-once"
        reports = [explain(images, once, **options)]
        files = tmp_path / f"{format}-files"
        reports.append(explain(images, files, **options, actors=2))
        rows = ray.data.read_binary_files(str(images), include_paths=True).map(
            lambda row: {"name": os.path.basename(row["path"]), "bytes": row["bytes"]}
        )
        dataset = tmp_path / f"{format}-dataset"
        # Readers need a CPU beside the actor's.
        reports.append(explain(rows, dataset, **options, actors=2, num_cpus=0.5))
        assert tree(files) == tree(dataset) == tree(once)
        assert [report[:4] for report in reports] == [
            (30, 29, 0, [("007.png", "not an image that Pillow can read")])
        ] * 3


def test_arrays_of_a_dataset_are_pooled(cluster, tmp_path, rng):
    arrays = {f"{i:02}": rng.random((3, 6, 6)).astype(np.float32) for i in range(10)}
    rows = ray.data.from_items([{"name": name, "array": array} for name, array in arrays.items()])
    one, many = tmp_path / "one", tmp_path / "many"
    unpool.ray.pool(arrays, 2, out=one, actors=0, progress=False)
    unpool.ray.pool(rows, 2, out=many, num_cpus=0.5, progress=False)
    assert tree(many) == tree(one) and len(tree(one)) == 11


def test_names_and_columns_of_a_dataset_are_checked(cluster, tmp_path):
    rows = [{"name": "same", "array": np.zeros((1, 32, 32), np.float32)}] * 2
    options = {"num_cpus": 0.5, "actors": 1}
    for format in ("npy", "parquet"):
        with pytest.raises(ValueError, match="two items named 'same'"):
            explain(ray.data.from_items(rows), tmp_path / format, format=format, **options)
    for row, message in (
        ({"title": "a", "array": 1}, "a name is read from one of"),
        ({"name": "a", "pixels": 1}, "a content is read from one of"),
    ):
        with pytest.raises(ValueError, match=message):
            explain(ray.data.from_items([row]), tmp_path / "other", **options)
    with pytest.raises(ValueError, match="needs actors"):
        explain(ray.data.from_items(rows), tmp_path / "other", actors=0)


def test_an_error_of_an_actor_is_told_as_in_one_process(cluster, tmp_path):
    images = digits(tmp_path / "in", 3)
    with pytest.raises(TypeError, match="stairs"):
        explain(images, tmp_path / "out", rules=[("smoothgrad", {"stairs": 3})], actors=1)


def test_a_cluster_without_a_gpu_is_told(cluster, tmp_path):
    images = digits(tmp_path / "in", 1)
    with pytest.raises(ValueError, match="Ray knows of no GPU; num_gpus=0"):
        explain(images, tmp_path / "out", device="gpu", actors=1)


def test_the_command_on_a_cluster(cluster, tmp_path):
    images, out = digits(tmp_path / "in", 6), tmp_path / "out"
    arguments = ("explain", DIGITS, images, "--out", out, "--rule", "guided", "--actors", 1)
    line = command(*arguments, "--address", cluster.address, "--quiet")
    # Ray warns of its own parts.
    line = [line[0], *line[3:]]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "6 items: 6 computed, on CPU" in done.stdout
    explain(images, tmp_path / "once")
    assert tree(out) == tree(tmp_path / "once")


def test_the_manifest_for_kubernetes_has_a_command_that_there_is():
    yaml = pytest.importorskip("yaml")
    manifest = yaml.safe_load((ROOT / "docs" / "kuberay.yaml").read_text())
    python, minus_m, module, *arguments = manifest["spec"]["entrypoint"].split()
    assert (python, minus_m, module) == ("python", "-m", "unpool.ray")
    options = vars(_parser().parse_args(arguments))
    assert options["call"] is unpool.ray.explain and options["num_gpus"] == 1
    cluster = manifest["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for pod in pods:
        (container,) = pod["template"]["spec"]["containers"]
        assert container["image"].endswith(":" + cluster["rayVersion"])
        (mount,) = container["volumeMounts"]
        for place in (options["model"], *options["dataset"], options["out"]):
            assert place.startswith(mount["mountPath"] + "/")


# The last one: the cluster has one raylet afterwards.
def test_a_lost_machine_changes_no_byte(cluster, tmp_path):
    images = digits(tmp_path / "in", 120)
    out, once = tmp_path / "out", tmp_path / "once"
    options = {"rules": RULES, "targets": ["best", ("class", 3)]}
    there = []

    def kill():
        """Ends the second raylet once both work, and a fifth of all is there."""
        while ray.available_resources().get("CPU", 0) > 0 or len(done(out)) < 24:
            time.sleep(0.01)
        there.extend(done(out))
        cluster.remove_node(cluster.second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    report = explain(images, out, **options, actors=2)
    killer.join(timeout=60)
    assert not killer.is_alive() and 24 <= len(there) < 110
    assert sum(node["Alive"] for node in ray.nodes()) == 1
    assert report.items == 120 and not report.failed

    assert explain(images, once, **options).computed == 120
    made, expected = tree(out), tree(once)
    assert len(expected) == 1 + 120 * 7
    different = [name for name in expected if made.get(name) != expected[name]]
    assert made.keys() == expected.keys() and not different

    # What is there is not computed again, and what is missing is.
    before = times(out)
    assert explain(images, out, **options, actors=1)[:3] == (120, 0, 120) and times(out) == before
    for name in ("003.png", "077.png"):
        shutil.rmtree(out / "items" / name)
    assert explain(images, out, **options, actors=1)[:3] == (120, 2, 118)
    assert tree(out) == expected


def done(out):
    return list(out.glob("items/*/item.json"))
