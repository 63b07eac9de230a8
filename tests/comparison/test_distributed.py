"""Links by batches: kept in shards, gone on with after a stop, and found by a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet
from drugsig.comparison.distributed import ShardFolder, connected, run_search
from drugsig.comparison.distributed import batches as batches_module
from drugsig.comparison.distributed import cluster as cluster_module
from drugsig.comparison.distributed import running as running_module
from drugsig.comparison.distributed import shards as shards_module
from drugsig.comparison.distributed.batches import Batches, Found, library_versions, run_batch
from drugsig.comparison.link_search import LinkSearch, TaskLinks
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links
from drugsig.errors import (
    ClusterError,
    DataWarning,
    InputError,
    MissingExtraError,
    OutputError,
    SizeError,
    UndefinedScoreWarning,
)
from drugsig.profiles.status import Status
from tests.comparison.dask_cluster import Cluster, later, loopback_allowed, wait_until

N_TARGETS = 8


def profiles(n: int, *, seed: int = 0, gaps: bool = False, copies: bool = False) -> ProfileSet:
    """Profiles of batches, with zeros; some with gaps, some there several times."""
    rng = np.random.default_rng(seed)
    sources = np.exp(rng.normal(size=(n // 3 + 1, N_TARGETS)))
    values = sources[rng.integers(0, len(sources), n)]
    values = values * np.exp(rng.normal(scale=0.1, size=values.shape))
    values[rng.random(values.shape) < 0.1] = 0.0
    if copies:
        values[n - n // 20 :] = values[: n // 20]
    if gaps:
        values[3] = 0.0
    status = np.where(values > 0, Status.DETECTED, Status.BELOW_LOD)
    if gaps:
        lost = rng.random(values.shape) < 0.01
        values[lost], status[lost] = np.nan, Status.NOT_MEASURED
    names = [f"T{k}" for k in range(N_TARGETS)]
    return ProfileSet(values, names, [f"p{seed}-{k}" for k in range(n)], status=status)


CASES: dict[str, tuple[Callable[[], tuple[ProfileSet, ProfileSet | None]], str, float]] = {
    "one set": (lambda: (profiles(2000), None), "pearson", 0.99),
    "gaps, copies and empty profiles": (
        lambda: (profiles(700, gaps=True, copies=True), None),
        "cosine",
        0.995,
    ),
    "two sets": (lambda: (profiles(600), profiles(900, seed=1, gaps=True)), "pearson", 0.98),
    "sums of terms": (lambda: (profiles(800), None), "canberra", 1.0),
    "all pairs": (lambda: (profiles(500), None), "quotient", 0.85),
}


def found_by(case: str, **options: Any) -> Links:
    make, metric, threshold = CASES[case]
    a, b = make()
    return links(a, b, metric=metric, threshold=threshold, **options)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Note the ranges of tasks that are done on threads."""
    done: list[tuple[int, int]] = []

    def noted(search: LinkSearch, first: int, last: int, /, **options: Any) -> Found:
        found = run_batch(search, first, last, **options)
        done.append((found.first, found.last))
        return found

    monkeypatch.setattr(running_module, "run_batch", noted)
    return done


# -- batches ---------------------------------------------------------------------------------------


@given(
    st.integers(0, 300),
    st.integers(0, 40),
    st.lists(st.integers(0, 340), max_size=8),
    st.floats(1e-7, 100.0),
    st.integers(1, 64),
    st.data(),
)
def test_every_task_is_handed_out_once(n_whole, n_other, cuts, seconds, threads, data) -> None:
    n = n_whole + n_other
    search: Any = SimpleNamespace(n_tasks=n, n_whole_tasks=n_whole)
    edges = sorted({min(c, n) for c in cuts})
    done = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    batches = Batches(search, done)
    seen = np.zeros(n, dtype=int)
    for first, last in done:
        seen[first:last] += 1
    assert batches.n_tasks == n - seen.sum()
    while batches:
        first, last = batches.take(threads)
        assert first < last <= n
        assert not first < n_whole < last
        reached = data.draw(st.integers(first + 1, last))
        seen[first:reached] += 1
        part = TaskLinks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        batches.learn(Found(first, reached, part, seconds * (reached - first)), (first, last))
    assert (seen == 1).all()


@pytest.mark.parametrize(("seconds", "size"), [(0.001, 12_500), (0.1, 150), (10.0, 1), (60.0, 1)])
def test_a_batch_takes_about_a_second_and_never_long(seconds: float, size: int) -> None:
    search: Any = SimpleNamespace(n_tasks=200_001, n_whole_tasks=200_001)
    batches = Batches(search)
    part = TaskLinks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    first = batches.take(2)
    assert first == (0, 1)
    batches.learn(Found(0, 1, part, seconds), first)
    begin, end = batches.take(2)
    assert end - begin == size


# -- shards ----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::drugsig.errors.UndefinedScoreWarning")
@pytest.mark.parametrize("case", CASES)
def test_links_by_shards_are_the_links(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by(case)
    assert len(expected) > 100
    done = counted(monkeypatch)
    assert found_by(case, shards=tmp_path / "s", workers=2) == expected
    assert done
    done.clear()
    assert found_by(case, shards=tmp_path / "s", workers=1) == expected
    assert not done


def test_undefined_pairs_are_counted_and_told_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.warns(UndefinedScoreWarning):
            found = found_by("gaps, copies and empty profiles", shards=tmp_path / "s")
        assert found.undefined > 0


def test_the_manifest_says_what_was_searched_and_by_which_files(tmp_path: Path) -> None:
    found = found_by("one set", shards=tmp_path)
    told = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert told["complete"] is True
    assert told["search"]["metric"] == "pearson"
    assert told["search"]["threshold"] == 0.99
    assert told["search"]["questioned"] == profiles(2000).digest
    assert told["search"]["reference"] is None
    shards = told["shards"]
    assert sorted(shards) == sorted(p.name for p in tmp_path.glob("*.npz"))
    assert sum(one["links"] for one in shards.values()) == len(found)
    assert sum(b - a for a, b in (s["tasks"] for s in shards.values())) == told["search"]["tasks"]


def test_a_stopped_search_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("one set")
    monkeypatch.setattr(batches_module, "_MOST_SECONDS", 1e-9)
    done = counted(monkeypatch)
    write = ShardFolder.write

    def stopped(folder: ShardFolder, found: Found, /) -> Path:
        if len(list(tmp_path.glob("*.npz"))) == 3:
            raise KeyboardInterrupt
        return write(folder, found)

    monkeypatch.setattr(ShardFolder, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        found_by("one set", shards=tmp_path, workers=1)
    kept = [tuple(int(x) for x in p.stem.split("-")[1:]) for p in tmp_path.glob("*.npz")]
    assert len(kept) == 3
    monkeypatch.setattr(ShardFolder, "write", write)
    done.clear()
    assert found_by("one set", shards=tmp_path, workers=1) == expected
    assert done
    assert not {range(*r) for r in kept} & {range(*r) for r in done}
    told = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert sum(last - first for first, last in done) == told["search"]["tasks"] - 3


def damaged_in_the_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda _: b"no archive at all",
        damaged_in_the_middle,
    ],
    ids=["cut off", "empty", "another file", "one bit"],
)
def test_damaged_shards_are_computed_again_and_told(
    damage: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("one set", shards=tmp_path)
    done = counted(monkeypatch)
    path = max(tmp_path.glob("*.npz"), key=lambda p: p.stat().st_size)
    path.write_bytes(damage(path.read_bytes()))
    first, last = (int(x) for x in path.stem.split("-")[1:])
    with pytest.warns(DataWarning, match=rf"1 shard.* computed again: '{path.name}'"):
        assert found_by("one set", shards=tmp_path) == expected
    assert min(done)[0] == first
    assert max(done)[1] == last


def test_no_single_byte_of_a_shard_can_change_unseen(tmp_path: Path) -> None:
    s = profiles(60)
    expected = links(s, metric="pearson", threshold=0.99, shards=tmp_path)
    (path,) = tmp_path.glob("*.npz")
    content = path.read_bytes()
    search = LinkSearch.of(s, None, metric="pearson", threshold=0.99)
    folder = ShardFolder.of(tmp_path, search, s, None)
    (kept,) = folder.kept()
    assert len(kept.part.rows) == len(expected) > 0
    unseen = 0
    for position in range(0, len(content), 3):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :]
        )
        try:
            found, _ = folder._read(path)
        except shards_module._DAMAGED:
            continue
        unseen += 1
        # Padding and dates of the container hold nothing that is read.
        assert np.array_equal(found.part.rows, kept.part.rows)
        assert np.array_equal(found.part.columns, kept.part.columns)
        assert found.part.scores.tobytes() == kept.part.scores.tobytes()
        assert (found.first, found.last) == (kept.first, kept.last)
    assert unseen < len(content) / 6


def test_shards_that_overlap_count_once(tmp_path: Path) -> None:
    expected = found_by("one set", shards=tmp_path)
    s = profiles(2000)
    search = LinkSearch.of(s, None, metric="pearson", threshold=0.99)
    folder = ShardFolder.of(tmp_path, search, s, None)
    folder.write(run_batch(search, 0, 3))
    folder.write(run_batch(search, 2, 5))
    assert found_by("one set", shards=tmp_path) == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threshold": 0.98}, "the threshold: 0.99 there, 0.98 here"),
        ({"metric": "cosine"}, "the metric: pearson there, cosine here"),
        ({"min_measured": 6}, "the least number of targets measured in both: 5 there, 6 here"),
        ({"questioned": 9}, "the questioned profiles: "),
        ({"reference": 9}, "the reference profiles: none there"),
    ],
)
def test_a_folder_of_another_search_is_refused(
    change: dict[str, Any], told: str, tmp_path: Path
) -> None:
    s = profiles(200)
    options: dict[str, Any] = {"metric": "pearson", "threshold": 0.99, "shards": tmp_path}
    links(s, **options)
    before = sorted(p.name for p in tmp_path.iterdir())
    a = profiles(200, seed=change.pop("questioned", 0))
    b = profiles(200, seed=change.pop("reference")) if "reference" in change else None
    with pytest.raises(InputError, match="holds parts of another search") as refused:
        links(a, b, **{**options, **change})
    assert told in str(refused.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_other_versions_and_another_division_are_another_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = profiles(700)
    links(s, metric="pearson", threshold=0.99, shards=tmp_path)
    path = tmp_path / "manifest.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["search"].update(drugsig="0.0.1", division="0" * 64)
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError, match=r"version of drugsig: 0\.0\.1 there, .*another kind of"):
        links(s, metric="pearson", threshold=0.99, shards=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("letter.txt", "dear", "holds 'letter.txt' and no manifest.json"),
        ("manifest.json", "{", "cannot be read as the manifest"),
        ("manifest.json", "[]", "cannot be read as the manifest"),
        ("manifest.json", '{"format": "2", "search": {}}', "is no stored link shard"),
    ],
)
def test_a_folder_of_something_else_is_left_alone(
    name: str, content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        links(profiles(50), metric="pearson", threshold=0.99, shards=tmp_path)
    assert (tmp_path / name).read_text(encoding="utf-8") == content


def test_what_a_power_cut_left_is_cleared_away(tmp_path: Path) -> None:
    expected = found_by("one set", shards=tmp_path)
    (tmp_path / ".links-0-1.npz-00.part").write_bytes(b"half")
    assert found_by("one set", shards=tmp_path) == expected
    assert not list(tmp_path.glob("*.part"))


def test_a_full_disk_is_told_and_leaves_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("one set")
    fsync, calls = os.fsync, []

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        fsync(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"No space left on device.*kept"):
        found_by("one set", shards=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr(os, "fsync", fsync)
    assert found_by("one set", shards=tmp_path) == expected


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "none" / "s"):
        with pytest.raises(OutputError, match="cannot be used as a folder for shards"):
            found_by("one set", shards=folder)


def test_too_many_links_are_refused_and_allowed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("one set")
    with pytest.raises(SizeError, match="allow more with memory"):
        found_by("one set", shards=tmp_path, memory=5000.0)
    assert list(tmp_path.glob("*.npz"))
    assert found_by("one set", shards=tmp_path) == expected


def test_a_batch_with_very_many_links_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("all pairs")
    monkeypatch.setattr(batches_module, "_MOST_LINKS", 10)
    done = counted(monkeypatch)
    assert found_by("all pairs", shards=tmp_path) == expected
    assert all(last - first == 1 for first, last in done)


# -- a cluster -------------------------------------------------------------------------------------


def test_nothing_of_dask_is_loaded_where_no_cluster_is_used(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from drugsig import ProfileSet; "
        "import drugsig.workflow.link_search; from drugsig.comparison.linking import links; "
        "s = ProfileSet(np.eye(9) + 1, list('ABCDEFGHI'), list('abcdefghi')); "
        f"links(s, metric='cosine', threshold=0.9, shards={str(tmp_path / 's')!r}); "
        "print(sorted({'dask', 'distributed'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingExtraError, match=r'pip install "drugsig\[cluster\]"'),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_only_a_client_is_a_client() -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    client: Any = "tcp://127.0.0.1:8786"
    with pytest.raises(InputError, match=r"distributed\.Client.*got str"):
        found_by("one set", client=client)


@pytest.fixture(scope="module")
def localhost(request: pytest.FixtureRequest) -> Iterator[None]:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with loopback_allowed(request.config):
        yield


@pytest.fixture(scope="module")
def cluster(localhost: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        made.start_worker()
        made.start_worker()
        yield made


@pytest.fixture(scope="module")
def lasting(cluster: Cluster) -> Iterator[Any]:
    with connected(cluster.address) as made:
        yield made


@pytest.fixture
def client(cluster: Cluster, lasting: Any) -> Any:
    """A client of a cluster with two workers."""
    wait_until(lambda: len(lasting.nthreads()) >= sum(w.poll() is None for w in cluster.workers))
    for _ in range(2 - len(lasting.nthreads())):
        cluster.start_worker()
    lasting.wait_for_workers(2, timeout=40)
    return lasting


@pytest.fixture
def hasty(cluster: Cluster, client: Any) -> Iterator[Any]:
    """The same, soon out of patience."""
    with connected(cluster.address, timeout=2.0) as made:
        yield made


SEARCH: dict[str, Any] = {"metric": "pearson", "threshold": 0.99}


@pytest.fixture(scope="module")
def many() -> ProfileSet:
    return profiles(12_000, copies=True)


@pytest.fixture(scope="module")
def expected(many: ProfileSet) -> Links:
    found = links(many, **SEARCH)
    assert len(found) > 1000
    return found


def at_the_third_part(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> list[int]:
    """Do something in the middle of the next search; return the numbers of tasks that came."""
    take = cluster_module.ClusterRunner.finished
    came: list[int] = []

    def watched(runner: Any) -> Any:
        finished = take(runner)
        for found, _ in finished:
            came.append(found.last - found.first)
            if len(came) == 3:
                action()
        return finished

    monkeypatch.setattr(cluster_module.ClusterRunner, "finished", watched)
    return came


@pytest.mark.filterwarnings("ignore::drugsig.errors.UndefinedScoreWarning")
@pytest.mark.parametrize("case", CASES)
def test_a_cluster_finds_the_same_links(case: str, client: Any) -> None:
    assert found_by(case, client=client) == found_by(case)


@pytest.mark.slow
def test_a_worker_that_dies_loses_nothing_and_counts_nothing_twice(
    cluster: Cluster, client: Any, many: ProfileSet, expected: Links,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    worker = next(w for w in cluster.workers if w.poll() is None)
    came = at_the_third_part(monkeypatch, worker.kill)
    found = links(many, client=client, **SEARCH)
    assert worker.wait() != 0
    assert len(came) > 3
    assert sum(came) == LinkSearch.of(many, None, **SEARCH).n_tasks
    assert found == expected
    assert len({*zip(found.rows.tolist(), found.columns.tolist(), strict=True)}) == len(found)


@pytest.mark.slow
def test_a_worker_that_is_started_again_gets_the_profiles_again(
    cluster: Cluster, client: Any, many: ProfileSet, expected: Links,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for worker in cluster.workers:
        worker.kill()
    wait_until(lambda: not client.nthreads())
    cluster.start_worker(nanny=True)
    wait_until(lambda: len(client.nthreads()) == 1)
    (pid,) = client.run(os.getpid).values()
    came = at_the_third_part(
        monkeypatch, lambda: os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    )
    found = links(many, client=client, **SEARCH)
    (again,) = client.run(os.getpid).values()
    assert again != pid
    assert sum(came) == LinkSearch.of(many, None, **SEARCH).n_tasks
    assert found == expected


@pytest.mark.slow
def test_all_workers_may_go_if_another_comes(
    cluster: Cluster, client: Any, many: ProfileSet, expected: Links,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def replaced() -> None:
        for worker in cluster.workers:
            worker.kill()
        later(0.5, cluster.start_worker)

    at_the_third_part(monkeypatch, replaced)
    assert links(many, client=client, **SEARCH) == expected


def test_an_interruption_drops_what_has_not_begun(client: Any, many: ProfileSet) -> None:
    search = LinkSearch.of(many, None, **SEARCH)
    with closing(run_search(search, client=client)) as parts:
        next(parts)

    def n_keys(dask_scheduler: Any) -> int:
        return len(dask_scheduler.tasks)

    wait_until(lambda: client.run_on_scheduler(n_keys) == 0)
    assert client.status == "running"


def test_a_worker_with_other_libraries_is_refused(
    client: Any, many: ProfileSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = library_versions()
    monkeypatch.setattr(
        cluster_module, "_other_versions", lambda other, _: f"{len(other)} other workers"
    )
    runner = cluster_module.ClusterRunner(LinkSearch.of(many, None, **SEARCH), client)
    monkeypatch.setattr(runner, "_versions", {**here, "drugsig": "9.9"})
    with pytest.raises(ClusterError, match="2 other workers"):
        runner._check_versions()
    runner.close()


def test_which_libraries_differ_is_told() -> None:
    here = library_versions()
    search = LinkSearch.of(profiles(50), None, **SEARCH)
    assert cluster_module.run_on_worker(search, 0, 1, here).last == 1
    with pytest.raises(ClusterError, match=r"a worker has drugsig .* and here it is drugsig 9\.9"):
        cluster_module.run_on_worker(search, 0, 1, {**here, "drugsig": "9.9"})


@pytest.mark.slow
def test_a_cluster_without_workers_is_told_within_the_time_out(
    cluster: Cluster, hasty: Any, many: ProfileSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_killed() -> None:
        for worker in cluster.workers:
            worker.kill()

    at_the_third_part(monkeypatch, all_killed)
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"no worker; 2 s were waited"):
        links(many, client=hasty, **SEARCH)
    assert time.monotonic() - began < 40.0
    with pytest.raises(ClusterError, match="no worker"):
        links(many, client=hasty, **SEARCH)


def test_where_nothing_listens_that_is_told_within_the_time_out(
    localhost: None, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(ClusterError, match=r"no scheduler answered at 'tcp://127.0.0.1:9'.* 0\.3 s"),
        connected("tcp://127.0.0.1:9", timeout=0.3),
    ):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://x:1", "no scheduler answered"),
        ("none.json", "there is no file 'none.json'"),
        ("tls://127.0.0.1:9", "asks for TLS, and no certificates are set"),
    ],
)
def test_an_address_that_is_none_is_told(localhost: None, address: str, told: str) -> None:
    with pytest.raises(ClusterError, match=told), connected(address, timeout=0.5):
        pass


def test_a_time_out_is_a_number_of_seconds() -> None:
    with pytest.raises(InputError, match="seconds above 0"), connected("x", timeout=0):
        pass


# The last: it ends the cluster of this module.
@pytest.mark.slow
def test_a_scheduler_that_dies_is_told_and_the_shards_stay(
    cluster: Cluster, hasty: Any, many: ProfileSet, expected: Links,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    at_the_third_part(monkeypatch, cluster.scheduler.kill)
    with pytest.raises(ClusterError, match=r"scheduler does not answer.*shards are not lost"):
        links(many, client=hasty, shards=tmp_path, **SEARCH)
    kept = len(list(tmp_path.glob("*.npz")))
    assert kept >= 3
    done = counted(monkeypatch)
    assert links(many, shards=tmp_path, **SEARCH) == expected
    n_tasks = LinkSearch.of(many, None, **SEARCH).n_tasks
    assert sum(last - first for first, last in done) <= n_tasks - 3
    assert "Traceback" not in capfd.readouterr().err
