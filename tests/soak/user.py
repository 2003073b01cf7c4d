"""What a user does in a soak, by chance, and what they know of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.soak.town import ACCOUNTS, Town

Post = dict[str, Any]
KILLED = 0.15
"""The share of the user's commands that are killed."""
IMPORTED = 6
"""Posts in a file, unless more are wanted."""
LABEL = "-o{{time:%H%M%S}}"
"""In the texts of series."""
ROUNDS = 12
"""How often the user looks after what is left in the end."""


class User:
    """Knows the texts they wrote, when each was due at the earliest, and which were accepted.

    A text is `soak-N-V` with N the post and V its version; in a series `-oHHMMSS` follows, the time
    of its occurrence (UTC); a second part ends in `-then`.
    """

    def __init__(self, town: Town, rng: Random) -> None:
        self._town = town
        self._rng = rng
        self._count = 0
        self._version = 0
        self.due: dict[int, datetime] = {}
        self.put_off: dict[int, tuple[datetime, datetime]] = {}
        """By number: since when it is surely put off, and until when."""
        self.accepted: set[int] = set()
        self.series: set[int] = set()
        self.whole: dict[int, tuple[list[str], list[datetime]]] = {}
        """Series that nobody changes: their accounts, and all of their occurrences."""
        self.wrong: list[str] = []
        self.imported = IMPORTED
        self.away: frozenset[int] = frozenset()
        """The exit codes that mean that the database can't be used, while that may be so."""
        self.done: Counter[str] = Counter()
        self.diary: list[str] = []
        """What was decided of which text, and when."""

    def act(self) -> None:
        """Do one thing."""
        acts: list[Callable[[], None]] = [
            *[self._add] * 4, *[self._import] * 3, self._edit, self._cancel,
            self._add_whole, self._add_series, self._add_series, self._skip, self._stop,
            self._hold, self._release, self._retry, self._resolve, self._backup,
            self._put_off, self._look, self._check_account,
        ]  # fmt: skip
        act = self._rng.choice(acts)
        self.done[act.__name__.strip("_")] += 1
        act()

    def posts(self) -> list[Post]:
        """All posts, as postsched says."""
        code, out, said = self._town.call("list", "--all", "--json")
        if code in self.away and said and "Traceback" not in said:
            return []
        if code:
            self.wrong.append(f"list ended with {code}: {said}")
            return []
        return list(json.loads(out))

    def _call(self, *words: str) -> bool:
        """Whether it was done for sure. A refusal is one line, and no crash."""
        kill = self._rng.uniform(0.05, 1.5) if self._rng.random() < KILLED else None
        code, _, said = self._town.call(*words, kill_after=kill)
        lines = [line for line in said.splitlines() if "warning" not in line]
        known = code <= 3 or code in self.away
        if not known or "Traceback" in said or (code > 0 and not lines):
            self.wrong.append(f"{words} ended with {code}: {said}")
        return code == 0

    def _new(self) -> tuple[int, str, datetime, list[str]]:
        number, self._count = self._count, self._count + 1
        wait = self._rng.uniform(4, 20) + self._town.took  # it must not be past by then
        self.due[number] = datetime.now(UTC) + timedelta(seconds=wait)
        accounts = self._rng.sample(ACCOUNTS, self._rng.randint(1, 3))
        return number, f"soak-{number}-0", self.due[number], accounts

    def _add(self) -> None:
        number, text, due, accounts = self._new()
        more = ["--then", f"{text}-then"] if self._rng.random() < 0.3 else []
        to = ",".join(accounts)
        more += ["--grace", "8s"] if self._rng.random() < 0.2 else []
        if self._call("add", text, "--to", to, "--at", due.isoformat(), *more):
            self.accepted.add(number)

    def _import(self) -> None:
        """The same file twice."""
        new = [self._new() for _ in range(self.imported)]
        file = self._town.home / "posts.jsonl"
        rows = [{"text": t, "to": to, "at": due.isoformat()} for _, t, due, to in new]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for _ in range(2):
            if self._call("import", str(file)):
                self.accepted |= {number for number, *_ in new}

    def _add_whole(self) -> None:
        """A series of which every occurrence is to go out, as late as may be."""
        number, text, due, accounts = self._new()
        due = self.due[number] = due.replace(microsecond=0) + timedelta(seconds=1)
        self.series.add(number)
        self.whole[number] = accounts, [due + timedelta(seconds=2 * n) for n in range(4)]
        self._repeat(number, text, accounts, "FREQ=SECONDLY;INTERVAL=2;COUNT=4", "all")

    def _add_series(self) -> None:
        """One that may be endless, and may be changed."""
        number, text, due, accounts = self._new()
        self.due[number] = due.replace(microsecond=0) + timedelta(seconds=1)
        self.series.add(number)
        rule = self._rng.choice(("FREQ=SECONDLY;INTERVAL=7", "FREQ=SECONDLY;INTERVAL=3;COUNT=5"))
        self._repeat(number, text, accounts, rule, self._rng.choice(("newest", "none")))

    def _repeat(
        self, number: int, text: str, accounts: list[str], rule: str, catch_up: str
    ) -> None:
        more = ["--then", f"{text}{LABEL}-then"] if self._rng.random() < 0.2 else []
        more += ["--at", self.due[number].isoformat(), "--tz", "UTC", "--catch-up", catch_up]
        if self._call("add", text + LABEL, "--to", ",".join(accounts), "--rrule", rule, *more):
            self.accepted.add(number)

    def _skip(self) -> None:
        """One occurrence of a series."""
        if found := self._one("scheduled", serial=True):
            self._call("cancel", str(found[0]["id"]), "--occurrence", found[1]["occurrence"])

    def _stop(self) -> None:
        """A series as a whole."""
        if found := self._one("scheduled", "retrying", serial=True):
            self._call("cancel", str(found[0]["id"]))

    def label(self, post: Post, delivery: dict[str, Any]) -> str:
        """How texts name the occurrence of a delivery: not at all, but in a series."""
        if number_of(post) not in self.series:
            return ""
        return f"{datetime.fromisoformat(delivery['occurrence']):%H%M%S}"

    def _one(
        self, *statuses: str, serial: bool = False, whole: bool = False
    ) -> tuple[Post, dict[str, Any]] | None:
        """One in such a status by chance: of series only (`serial`), of those that are to go out
        whole, too (`whole`)."""
        found = [
            (post, d) for post in self.posts() for d in post["deliveries"]
            if d["status"] in statuses
            and (whole or number_of(post) not in self.whole)
            and (not serial or number_of(post) in self.series)
        ]  # fmt: skip
        return self._rng.choice(found) if found else None

    def _edit(self) -> None:
        if found := self._one("scheduled", "failed"):
            self._version += 1
            text = f"soak-{number_of(found[0])}-{self._version}"
            text += LABEL if number_of(found[0]) in self.series else ""
            self._call("edit", str(found[0]["id"]), "--text", text, "--no-then")

    def _put_off(self) -> None:
        """Only what nobody has tried, and only to a later time."""
        fresh = [
            post for post in self.posts()
            if all(d["status"] == "scheduled" and not d["attempts"] for d in post["deliveries"])
            and number_of(post) not in self.series
        ]  # fmt: skip
        if not fresh:
            return
        post = self._rng.choice(fresh)
        number = number_of(post)
        last = max(datetime.fromisoformat(d["occurrence"]) for d in post["deliveries"])
        at = max(last, datetime.now(UTC)) + timedelta(seconds=self._rng.uniform(3, 15))
        if self._call("edit", str(post["id"]), "--at", at.isoformat()):
            self.put_off[number] = (datetime.now(UTC), at)

    def _look(self) -> None:
        """What only reads prints one document, whatever happens meanwhile."""
        words = self._rng.choice(
            (["status"], ["history"], ["account", "list"], ["doctor"], ["check"])
        )
        code, out, said = self._town.call(*words, "--json")
        if code in self.away and said and "Traceback" not in said:
            return
        try:
            json.loads(out)
        except ValueError:
            self.wrong.append(f"{words} ended with {code} and printed {out!r}: {said}")
        if code > 1 or "Traceback" in said:
            self.wrong.append(f"{words} ended with {code}: {said}")

    def _check_account(self) -> None:
        self._call("account", "check", self._rng.choice(ACCOUNTS))

    def _cancel(self) -> None:
        if found := self._one("scheduled", "retrying", "failed"):
            self._call("cancel", str(found[0]["id"]), "--account", found[1]["account"])

    def _hold(self) -> None:
        if found := self._one("scheduled", "retrying", whole=True):
            which = ["--account", found[1]["account"]]
            self._call("pause", *self._rng.choice([[str(found[0]["id"])], which, ["--all"]]))

    def _release(self) -> None:
        self._call("resume", "--all")
        for account in ACCOUNTS if self._rng.random() < 0.3 else ():
            self._call("resume", "--account", account)

    def _retry(self) -> None:
        if found := self._one("failed", "cancelled", "missed"):
            self._call("retry", str(found[0]["id"]), "--account", found[1]["account"])

    def _resolve(self) -> None:
        if found := self._one("unconfirmed", whole=True):
            self._decide(*found, self._call)

    def _backup(self) -> None:
        self._call("backup", str(self._town.home / f"backup-{self.done['backup']}.zip"))

    def _decide(self, post: Post, delivery: dict[str, Any], call: Callable[..., Any]) -> None:
        """As a person does who looks at the network."""
        account = delivery["account"]
        step = next(n for n, part in enumerate(delivery["parts"]) if part["status"] != "published")
        text = post["parts"][step]["text"]
        if label := self.label(post, delivery):
            found = f"soak-{number_of(post)}-", f"-o{label}{'-then' * step}"
            out = [seen for seen in self._town.out(account)
                   if seen.text.startswith(found[0]) and seen.text.endswith(found[1])]  # fmt: skip
        else:
            out = [seen for seen in self._town.out(account) if seen.text == text]
        self.diary.append(f"{datetime.now(UTC)}: {text} on {account}: {[s.text for s in out]}")
        words = ["published", "--remote-id", out[0].remote_id] if out else ["absent"]
        call("resolve", str(post["id"]), *words, "--delivery", str(delivery["id"]))

    def settle(self) -> None:
        """Let everything go, and see to what is left, until nothing is."""
        paused = [str(post["id"]) for post in self.posts() if post["paused"]]
        for words in (["--all"], *(["--account", a] for a in ACCOUNTS), *([i] for i in paused)):
            self._surely("resume", *words)
        for post in self.posts():
            if number_of(post) in self.series - self.whole.keys():
                self._surely("cancel", str(post["id"]))
        for _ in range(ROUNDS):
            self._surely("run", "--until-idle", "--no-live")
            left = [
                (post, d) for post in self.posts() for d in post["deliveries"]
                if d["status"] not in ("published", "cancelled")
            ]  # fmt: skip
            if not left:
                return
            for post, delivery in left:
                if delivery["status"] == "unconfirmed":
                    self._decide(post, delivery, self._surely)
                else:
                    self._surely("retry", str(post["id"]), "--delivery", str(delivery["id"]))

    def _surely(self, *words: str) -> None:
        code, _, said = self._town.call(*words)
        if code > 1:
            self.wrong.append(f"{words} ended with {code}: {said}")

    def summary(self) -> str:
        """What was done, in a few words."""
        done = ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))
        return f"{len(self.accepted)} posts accepted ({done})"


def number_of(post: Post) -> int:
    """The number of a post of the user's."""
    return number_in(post["parts"][0]["text"])


def number_in(text: str) -> int:
    """The number of the post that a text is of."""
    return int(text.split("-")[1])


def label_of(text: str) -> str:
    """How a text names its occurrence, empty where it is of no series."""
    return next((word[1:] for word in text.split("-") if word.startswith("o")), "")
