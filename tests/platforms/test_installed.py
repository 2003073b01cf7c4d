"""The entry points found fast are those that importlib.metadata finds, in its order."""

from __future__ import annotations

import sys
from importlib.metadata import DistributionFinder, EntryPoint, entry_points
from pathlib import Path
from zipfile import ZipFile

import pytest

from postsched import platforms
from postsched.platforms.installed import entries

GROUP = "postsched.platforms"


def distribution(folder: Path, about: str, lines: str) -> None:
    """A distribution with those entry points, or without any."""
    (folder / about).mkdir(parents=True)
    (folder / about / "METADATA").write_text(f"Name: {about.partition('-')[0]}\nVersion: 1\n")
    if lines:
        (folder / about / "entry_points.txt").write_text(lines)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders that come first on the path."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(sys, "path", [*map(str, folders), *sys.path])
    return folders


def agree() -> dict[str, str]:
    """What both find, name by name."""
    expected: list[EntryPoint] = list(entry_points(group=GROUP))
    found = entries(GROUP)
    assert [(e.name, e.value) for e in found] == [(e.name, e.value) for e in expected]
    return {entry.name: entry.value for entry in found}


def test_the_same_are_found(places: list[Path]) -> None:
    first, second = places
    assert agree()["mastodon"] == "postsched.platforms.mastodon:Mastodon"
    distribution(first, "other-1.dist-info", "[console_scripts]\npostsched.platforms = a:b\n")
    distribution(first, "plug_in-1.dist-info", f"[x]\na = b:c\n[{GROUP}]\nmine = plug:In\n")
    distribution(first, "Plug.In-0.dist-info", "")
    distribution(second, "plug-in-2.egg-info", f"[{GROUP}]\nnewer = plug:Newer\n")
    distribution(second, "again-2.egg-info", f"[{GROUP}]\nmastodon = plug:Mastodon\nmine = b:B\n")
    (second / "file-1.egg-info").write_text("Name: file\n")
    found = agree()
    assert "mine" in found
    # of one name the last on the path counts, ours as any
    assert found["mastodon"] == platforms.GROUP + ".mastodon:Mastodon"


def test_archives_and_finders_of_others_are_asked(
    places: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "plug.zip", "w") as archive:
        archive.writestr("zipped-1.dist-info/METADATA", "Name: zipped\nVersion: 1\n")
        archive.writestr("zipped-1.dist-info/entry_points.txt", f"[{GROUP}]\nzipped = z:Z\n")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(tmp_path / "plug.zip")])
        assert agree()["zipped"] == "z:Z"
    distribution(places[0], "hidden-1.dist-info", f"[{GROUP}]\nhidden = h:H\n")

    class Finder(DistributionFinder):
        def find_distributions(self, context: DistributionFinder.Context = ...) -> list:  # type: ignore[type-arg, assignment]
            return []

        def find_spec(self, *args: object) -> None:
            return None

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert "hidden" in agree()
