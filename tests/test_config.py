"""Settings: precedence, every kind of mistake, where things are by default."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.config import Settings, load, locate_database
from postsched.domain.errors import InvalidInput
from postsched.domain.post import CatchUp, Missed
from postsched.domain.setting import KEYS, PLATFORM_KEYS, Rate

Load = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, so that no one's real configuration is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def load_toml(home: Path) -> Load:
    """Loads settings from a text in a file that `--config` names."""

    def loads(toml: str | bytes, db: str | None = None, **environ: str) -> Settings:
        file = home / "my.toml"
        file.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
        return load(str(file), db, environ)

    return loads


def refusal(of: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        of()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_defaults_are_those_of_the_documentation(home: Path) -> None:
    settings = load(None, None, {})
    assert settings == Settings(database=settings.database)
    assert settings.config_file is None
    assert (settings.misfire_grace, settings.missed, settings.catch_up) == (
        timedelta(hours=24),
        Missed.ASK,
        CatchUp.NEWEST,
    )
    assert (settings.concurrency, settings.concurrency_total, settings.attempts) == (10, 50, 3)
    assert settings.retry_delay == timedelta(seconds=60)
    assert (settings.timeout, settings.claim_timeout) == (
        timedelta(seconds=30),
        timedelta(minutes=2),
    )
    assert settings.claim_ahead == timedelta(milliseconds=250)
    assert settings.prepare_ahead == timedelta(minutes=10)
    assert settings.shutdown_timeout == timedelta(seconds=30)
    assert settings.request_timeout == 30.0
    assert settings.timezone is None


def test_every_key_has_a_field() -> None:
    sections = {"platforms", "media_host", "webhook", "notify", "web"}
    assert set(KEYS) | sections == set(Settings.__dataclass_fields__) - {
        "database", "config_file", "warnings",
    }  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="XDG folders are of POSIX systems")
def test_default_places_are_the_users_folders(home: Path) -> None:
    assert load(None, None, {}).database == str(home / "data/postsched/postsched.db")
    (home / "config/postsched").mkdir(parents=True)
    (home / "config/postsched/config.toml").write_text("attempts = 7\n")
    settings = load(None, None, {})
    assert settings.attempts == 7
    assert settings.config_file == home / "config/postsched/config.toml"


def test_environment_wins_over_file_and_flag_over_both(load_toml: Load, home: Path) -> None:
    toml = "concurrency = 2\nattempts = 2\n"
    other = home / "other.toml"
    other.write_text("attempts = 9\n")
    settings = load_toml(
        toml, str(home / "a.db"), POSTSCHED_DB="/b.db", POSTSCHED_CONFIG=str(other),
        POSTSCHED_CONCURRENCY="3",
    )  # fmt: skip
    assert (settings.attempts, settings.concurrency) == (2, 3)
    assert settings.database == str(home / "a.db")
    assert load(None, None, {"POSTSCHED_CONFIG": str(other)}).attempts == 9
    assert load(None, None, {"POSTSCHED_DB": str(home / "b")}).database == str(home / "b")


def test_an_empty_variable_counts_as_unset(home: Path) -> None:
    assert load(None, None, {"POSTSCHED_ATTEMPTS": "", "POSTSCHED_CONFIG": ""}).attempts == 3


def test_every_key_is_read_from_file_and_environment(load_toml: Load, home: Path) -> None:
    written = {
        "timezone": "Asia/Tokyo", "misfire_grace": "1h", "missed": "late", "catch_up": "all",
        "concurrency": 1, "concurrency_total": 2, "attempts": 4, "retry_delay": "5s",
        "timeout": "6s", "claim_timeout": "1m", "claim_ahead": "1s", "prepare_ahead": "1m",
        "shutdown_timeout": "9s", "require_alt_text": True,
        "quiet_hours": "22:00-07:00", "min_spacing": "30m", "close_gaps": True,
        "media_dir": str(home / "m"), "state_dir": str(home / "s"),
        "keep": "90d", "archive": False, "archive_dir": str(home / "a"),
        "secrets": "keyring", "secrets_file": str(home / "s.json"), "callback_port": 9000,
        "allow_plaintext_keyring": True, "allow_private_addresses": True,
    }  # fmt: skip
    assert set(written) == set(KEYS)
    toml = "".join(f"{key} = {_toml(value)}\n" for key, value in written.items())
    from_file = load_toml(toml)
    environ = {f"POSTSCHED_{key.upper()}": str(value) for key, value in written.items()}
    from_environment = load(None, None, environ)
    for key in written:
        assert getattr(from_file, key) == getattr(from_environment, key), key
        assert getattr(from_file, key) != getattr(Settings(database=""), key), key


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


def test_platform_tables_and_their_twins(load_toml: Load) -> None:
    settings = load_toml(
        "[platforms.mastodon]\nurl = 'https://a.example/'\nrate = '300/5m'\n"
        "[platforms.'dev.to']\nurl = 'http://127.0.0.1:8080'\n",
        POSTSCHED_PLATFORMS_MASTODON_URL="https://b.example",
        POSTSCHED_PLATFORMS_DEV_TO_TOKEN_URL="https://c.example",
    )
    assert settings.platform("Mastodon").url == "https://b.example"
    assert settings.platform("mastodon").rate == Rate(300, timedelta(minutes=5))
    assert settings.platform("dev.to").url == "http://127.0.0.1:8080"
    assert settings.platform("dev.to").token_url == "https://c.example"
    assert settings.platform("x").url is None
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("concurency = 3", "concurency in {file} is no key that is known. Did you mean con"),
        ("Timeout = '3s'", "Did you mean timeout?"),
        ("zzz = 3", "There are: allow_plaintext_keyring"),
        ("concurrency = 'many'", "concurrency in {file} can't be 'many'. Give a whole number"),
        ("concurrency = 0", "can't be 0"),
        ("concurrency = true", "can't be True"),
        ("concurrency = 1.5", "can't be 1.5"),
        ("timeout = 30", "can't be 30. Give a duration from 10ms"),
        ("timeout = '0s'", "can't be '0s'"),
        ("claim_timeout = '1s'", "Give a duration from 3s"),
        ("missed = 'never'", 'Give "ask" or "skip" or "late"'),
        ("missed = ['ask']", "can't be ['ask']"),
        ("require_alt_text = 'true'", "Give true or false"),
        ("timezone = 'Europe/Berln'", "is no time zone. Did you mean Europe/Berlin"),
        ("timezone = ''", "the name of a time zone"),
        ("media_dir = ''", "can't be ''"),
        ("media_dir = '~nobody-has-this-name/x'", "the home folder in ~nobody-has-this-name/x"),
        ("db = 'x.db'", "Use --db or POSTSCHED_DB"),
        ("quiet_hours = '22-7'", "quiet_hours in {file}: the quiet hours can't be read"),
        ("[webhook]\nurl = 'https://me:pw@x'", "webhook.url in {file}: it is no address"),
        ("[webhook]\nsecret = 'x'", "give it so: postsched notify secret"),
        ("[notify]\nevents = ['misssed']", "no event misssed. Did you mean missed?"),
        ("[notify]\ntargets = ['desk']", "notify.targets in {file}: target 1 is no address"),
        ("[notify]\ntargets = 7", "it is no list of texts"),
        ("[notify]\ncommand = '\"x'", "Give a command"),
        ("platforms = 1", "platforms in {file} is not a table"),
        ("[platforms]\nmastodon = 1", "platforms.mastodon in {file} is not a table"),
        ("[platforms.mastodon]\nulr = 'x'", "platforms.mastodon.ulr in {file} is no key"),
        ("[platforms.mastodon]\nurl = 'http://example.com'", "plain http only to localhost"),
        ("[platforms.mastodon]\nurl = 'https://h:99999'", "Give an https address"),
        ("[platforms.mastodon]\nurl = 'https://['", "Give an https address"),
        ("[platforms.mastodon]\nrate = '5'", "requests in a duration"),
        ("[platforms.mastodon]\nrate = '5/0s'", "requests in a duration"),
        ("[platforms.'a.b']\nurl='https://h'\n[platforms.a_b]\nurl='https://h'", "is there twice"),
        ("attempts = 1\nattempts = 2", "{file} is not valid TOML: Cannot overwrite"),
        ("attempts = 1\nx = \n", "line 2"),
        ("'a\\nb' = 1", "is no key that is known"),
        ("\"a\\nb\" = 1", "is no key that is known"),
        ("[platforms.\"a\\nb\"]\nx = 1", "is no key that is known"),
        ("attempts = " + "9" * 5_000, "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(load_toml: Load, home: Path, toml: str, said: str) -> None:
    assert said.format(file=home / "my.toml") in refusal(lambda: load_toml(toml))


def test_a_file_that_is_not_utf8_is_refused_with_its_line(load_toml: Load) -> None:
    assert "line 2: this is not UTF-8" in refusal(lambda: load_toml(b"attempts = 1\n# \xff\n"))
    assert load_toml(b"\xef\xbb\xbfattempts = 1\n").attempts == 1


def test_a_login_in_an_address_is_refused_and_not_shown(load_toml: Load) -> None:
    said = refusal(lambda: load_toml("[platforms.x]\nurl = 'https://me:s3cret@h'"))
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("POSTSCHED_CONCURRENCY", "ten", "the variable POSTSCHED_CONCURRENCY can't be 'ten'"),
        ("POSTSCHED_CONCURRENCY", "-1", "Give a whole number"),
        ("POSTSCHED_CONCURRENCY", "9" * 6_000, "Give a whole number"),
        ("POSTSCHED_REQUIRE_ALT_TEXT", "maybe", "Give true or false"),
        ("POSTSCHED_QUIET_HOURS", "22-7", "Give quiet hours such as 22:00-07:00"),
        ("POSTSCHED_WEBHOOK_URL", "x", "POSTSCHED_WEBHOOK_URL: it is no address"),
        ("POSTSCHED_NOTIFY_EVENTS", "failed,boom", "there is no event boom"),
        ("POSTSCHED_PLATFORMS_X_URL", "x", "the variable POSTSCHED_PLATFORMS_X_URL can't be 'x'"),
    ],
)
def test_a_mistake_in_the_environment_is_named(
    home: Path, name: str, value: str, said: str
) -> None:
    assert said in refusal(lambda: load(None, None, {name: value}))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("POSTSCHED_CONCURENCY", "POSTSCHED_CONCURRENCY"),
        ("POSTSCHED_TIMEZON", "POSTSCHED_TIMEZONE"),
        ("POSTSHED_DB", "POSTSCHED_DB"),
        ("POSTSCHED_TOKN_ME", "POSTSCHED_TOKEN_NAME"),
        ("POSTSCHED_PLATFORMS_X_URI", "POSTSCHED_PLATFORMS_NAME_KEY"),
    ],
)
def test_a_mistyped_variable_is_a_warning(home: Path, name: str, meant: str) -> None:
    [warning] = load(None, None, {name: "x"}).warnings
    assert name in warning
    assert f"did you mean {meant}" in warning
    assert "'x'" not in warning


@pytest.mark.parametrize(
    "name",
    ["POSTSCHED_TOKEN_ME", "POSTSCHED_CLIENT_SECRET_X", "POSTSCHED_WEBHOOK_SECRET",
     "POSTSCHED_PASSPHRASE", "POSTSCHED_PASSPHRASE_FD", "POSTSCHED_NEW_PASSPHRASE",
     "POSTSCHED_SOMETHING_ELSE", "POSTGRES_DB"],
)  # fmt: skip
def test_other_variables_are_no_mistake(home: Path, name: str) -> None:
    assert load(None, None, {name: "x"}).warnings == ()


def test_keys_and_platform_keys_have_distinct_twins() -> None:
    assert not set(KEYS) & set(PLATFORM_KEYS)


def test_a_named_file_must_be_there(home: Path) -> None:
    missing = str(home / "none.toml")
    assert "does not exist" in refusal(lambda: load(missing, None, {}))
    assert "does not exist" in refusal(lambda: load(None, None, {"POSTSCHED_CONFIG": missing}))
    assert "can't be read" in refusal(lambda: load(str(home), None, {}))
    assert "is no path" in refusal(lambda: load("", None, {}))
    assert "is empty" in refusal(lambda: load(None, "", {}))
    assert "is no path" in refusal(lambda: load("a\0b", None, {}))


def test_a_file_that_never_ends_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    assert "larger than a megabyte" in refusal(lambda: load("/dev/zero", None, {}))


def test_a_short_claim_shortens_requests_and_says_so(load_toml: Load) -> None:
    settings = load_toml("claim_timeout = '10s'")
    assert settings.request_timeout == 5.0
    [warning] = settings.warnings
    assert "timeout is 30s, but a request gets 5s" in warning


def test_media_lie_beside_the_database_or_in_media_dir(load_toml: Load, home: Path) -> None:
    assert load_toml("", str(home / "p.db")).media_folder == home / "media"
    assert load_toml("media_dir = 'pictures'").media_folder == home / "pictures"
    assert load_toml("media_dir = '~/x'").media_folder == home / "x"
    remote = load_toml("", "postgresql://me:s3cret@db/posts")
    assert remote.media_fault is not None
    assert "Set media_dir" in remote.media_fault[1]
    assert load_toml("media_dir = '~/x'", "postgresql://db/posts").media_fault is None
    assert "s3cret" not in repr(remote)
    assert remote.database_path is None


def test_secrets_lie_beside_the_database_or_where_it_is_said(load_toml: Load, home: Path) -> None:
    name = "postsched-secrets.json"
    assert load_toml("", str(home / "p.db")).secrets_path == home / name
    remote = load_toml("", "postgresql://db/posts")
    assert remote.secrets_path.name == name
    assert str(remote.secrets_path).startswith(str(home))
    (home / "sub").mkdir()
    (home / "link.json").symlink_to("sub/real.json")
    linked = load_toml("secrets = 'file'\nsecrets_file = 'link.json'")
    assert (linked.secrets, linked.secrets_path) == ("file", home / "sub" / "real.json")
    twin = load_toml("", POSTSCHED_SECRETS="keyring", POSTSCHED_SECRETS_FILE="~/x")
    assert (twin.secrets, twin.secrets_path) == ("keyring", home / "x")


def test_databases_that_can_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert locate_database("a.db") == str(home / "a.db")
    assert locate_database("~/a.db") == str(home / "a.db")
    assert locate_database("sqlite:///a.db") == str(home / "a.db")
    assert locate_database(f"sqlite:///{home}/a.db") == str(home / "a.db")
    assert locate_database("postgresql://me@h/db") == "postgresql://me@h/db"


@pytest.mark.parametrize(
    "named",
    ["", ":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?mode=memory",
     "mysql://me:s3cret@h/db", "postgres://me:s3cret@h/db", "file:a.db", "a\0b", "a\nb"],
)  # fmt: skip
def test_databases_that_are_refused(home: Path, named: str) -> None:
    assert "s3cret" not in refusal(lambda: locate_database(named))
    if named:
        assert load(None, None, {}).database
        refusal(lambda: load(None, None, {"POSTSCHED_DB": named}))
