"""What doctor says of what is long over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from postsched.domain.draft import Draft
from postsched.secrets import Secrets
from postsched.service import posts
from postsched.service.checks.finding import State, Subject
from postsched.service.checks.retention import retention_findings
from postsched.testing import FakeClock
from tests.service.desk import claim, desk_at, publish


def test_it_says_what_may_leave_and_what_keeps_it(tmp_path: Path) -> None:
    clock = FakeClock()
    with desk_at(tmp_path, clock) as desk:
        posts.add(desk, Draft("Hello", ("me",), at="in 1h", tz="UTC"))
        clock.advance(timedelta(hours=1))
        for delivery in claim(desk):
            publish(desk, delivery)
        clock.advance(timedelta(days=401))
        settings = replace(desk.settings, archive_dir=tmp_path / "archive")
        subject = Subject(
            settings, desk.database.path, desk.database, Secrets({}), clock.now,
            lambda: ZoneInfo("UTC"),
        )  # fmt: skip
        (found,) = retention_findings(subject)
        assert found.message.startswith("1 delivery over for 400d: for the archive /")
        settings.archive_folder.write_text("in the way")  # type: ignore[union-attr]  # it is set
        assert [one.state for one in retention_findings(subject)] == [State.OK, State.PROBLEM]
        forever = replace(settings, keep=None, archive=False)
        (found,) = retention_findings(replace(subject, settings=forever))
        assert found.message == "everything is kept for ever (keep)"
        server = replace(settings, database="postgresql://x/y", archive_dir=None)
        (found,) = retention_findings(replace(subject, settings=server, place=None))
        assert found.state is State.WARNING
        if desk.database.path is None:
            return
        with desk.database.write() as connection:
            connection.execute(text("CREATE TABLE filler (x)"))
            connection.execute(text("INSERT INTO filler VALUES (zeroblob(20000000))"))
            connection.execute(text("DROP TABLE filler"))
        subject = replace(subject, settings=replace(settings, archive_dir=tmp_path / "other"))
        assert [one.check for one in retention_findings(subject)] == ["archive", "room"]
