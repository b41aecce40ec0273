from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from homeport.errors import NotFound
from homeport.slugs import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def filled(store: Store, key: str, text: str = "hello") -> Path:
    draft = store.draft(key)
    (draft / "app").mkdir()
    (draft / "app" / "main.py").write_text(text)
    return draft


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "slugs"


def test_a_kept_draft_becomes_a_layer(root: Path) -> None:
    store = Store(root)
    draft = filled(store, "code-1")
    assert not store.has("code-1")
    kept = store.keep("code-1", draft)
    assert store.has("code-1")
    assert kept == store.path("code-1")
    assert (kept / "app" / "main.py").read_text() == "hello"
    assert not draft.exists()
    assert store.keys() == {"code-1"}


def test_the_second_draft_of_the_same_key_is_discarded(root: Path) -> None:
    store = Store(root)
    store.keep("code-1", filled(store, "code-1", "first"))
    second = filled(store, "code-1", "second")
    store.keep("code-1", second)
    assert (store.path("code-1") / "app" / "main.py").read_text() == "first"
    assert not second.exists()


def test_sizes_are_bytes_of_files_and_survive_a_lost_note(root: Path) -> None:
    store = Store(root)
    draft = filled(store, "code-1", "12345")
    (draft / "link").symlink_to("app/main.py")
    store.keep("code-1", draft)
    assert store.size("code-1") == 5
    (root / "sizes" / "code-1").unlink()
    assert store.size("code-1") == 5


@pytest.mark.parametrize("key", ["", "../evil", "a/b", ".hidden", "x" * 200, "a\n"])
def test_a_key_cannot_lead_out_of_the_store(root: Path, key: str) -> None:
    store = Store(root)
    with pytest.raises(NotFound):
        store.draft(key)
    with pytest.raises(NotFound):
        store.path(key)


def test_a_missing_layer_is_not_found(root: Path) -> None:
    store = Store(root)
    with pytest.raises(NotFound):
        store.path("code-1")
    with pytest.raises(NotFound):
        store.size("code-1")


def test_prune_removes_what_nobody_keeps_once_it_was_idle_long_enough(root: Path) -> None:
    clock = Clock()
    store = Store(root, clock=clock)
    for key in ("used", "idle", "fresh"):
        store.keep(key, filled(store, key))
    clock.now += 4000
    store.touch("fresh")
    assert store.prune({"used"}) == {"idle"}
    assert store.keys() == {"used", "fresh"}
    assert not (root / "sizes" / "idle").exists()
    assert store.prune(set(), grace=0) == {"used", "fresh"}


def test_read_only_layers_can_be_removed_too(root: Path) -> None:
    store = Store(root)
    draft = filled(store, "code-1")
    (draft / "app").chmod(0o500)
    store.keep("code-1", draft)
    assert store.prune(set(), grace=0) == {"code-1"}
    assert list((root / "drafts").glob("*/pruned*")) == []


def test_opening_a_store_clears_the_drafts_of_dead_processes_only(root: Path) -> None:
    living, dead = Store(root), Store(root)
    alive, orphan = filled(living, "a"), filled(dead, "b")
    os.close(dead._scratch._lock)  # as the kernel does when its process is killed
    Store(root)
    assert alive.exists()
    assert not orphan.exists()


def test_folders_are_private(root: Path) -> None:
    store = Store(root)
    assert root.stat().st_mode & 0o777 == 0o700
    assert store.draft("a").stat().st_mode & 0o777 == 0o700


def test_many_threads_may_keep_the_same_key(root: Path) -> None:
    store = Store(root)
    drafts = [filled(store, "code-1", "same") for _ in range(8)]
    failures: list[BaseException] = []

    def keep(draft: Path) -> None:
        try:
            store.keep("code-1", draft)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=keep, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (store.path("code-1") / "app" / "main.py").read_text() == "same"
    assert not any(draft.exists() for draft in drafts)
