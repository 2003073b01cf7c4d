"""The files of the archive: whole lines, in order, whatever was there."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from postsched.domain.errors import StoreUnavailable
from postsched.retention.archive import BLOCK, Archive
from tests.store.disks import fill, small_disk

LINE = {"uid": "a", "complete": True, "id": 12, "text": "Ünï\u2028 \n code"}


def test_lines_are_appended_whole_to_files_of_their_months(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "deep" / "archive")
    archive.append({202611: [LINE, LINE], 202701: [LINE]})
    archive.append({202611: [LINE]})
    assert sorted(file.name for file in archive.folder.iterdir()) == [
        "2026-11.jsonl",
        "2027-01.jsonl",
    ]
    lines = archive.file_of(202611).read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [LINE] * 3
    assert lines[-1] == b""
    assert stat.S_IMODE(archive.file_of(202611).stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"whole": 1}\n{"cut": "o', b'{"whole": 1}\n'),
        (b'{"whole": 1}\n{"left open": 2}', b'{"whole": 1}\n{"left open": 2}\n'),
        (b'{"cut": "' + b"x" * (2 * BLOCK), b""),
        (b'{"whole": 1}\n\xff\xfe', b'{"whole": 1}\n'),
        (b"a note of the user\n", b"a note of the user\n"),
    ],
)
def test_what_was_cut_short_goes_and_what_is_whole_stays(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    archive = Archive(tmp_path)
    archive.file_of(202611).write_bytes(before)
    archive.append({202611: [{"id": 1}]})
    assert archive.file_of(202611).read_bytes() == after + b'{"id":1}\n'


def test_a_post_is_found_by_its_number(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append({202611: [{**LINE, "id": 1}, LINE, {**LINE, "complete": False}]})
    archive.append({202611: [{**LINE, "text": "again"}]})
    found = archive.find(202611, 12)
    assert found is not None
    assert found["text"] == "again"
    assert archive.find(202611, 2) is None
    assert archive.find(202612, 12) is None
    archive.file_of(202611).write_bytes(b'{"complete":true,"id":12,\n')
    assert archive.find(202611, 12) is None


def test_a_full_disk_leaves_no_line_in_part(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        archive = Archive(disk)
        archive.append({202611: [LINE]})
        filler = fill(disk)
        with pytest.raises(StoreUnavailable, match="can't be written: No space left"):
            archive.append({202611: [{**LINE, "text": "x" * 20_000}]})
        filler.unlink()
        archive.append({202611: [LINE]})
        lines = archive.file_of(202611).read_text("utf-8").split("\n")
        assert [json.loads(line) for line in lines[:-1]] == [LINE] * 2
