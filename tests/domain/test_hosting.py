"""What is set for the media host, and what of it can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from postsched.config import load
from postsched.domain.account import NAME
from postsched.domain.errors import InvalidInput
from postsched.domain.hosting import ENTRY, MediaHost
from postsched.secrets import variable

URL = "https://s3.eu-west-3.amazonaws.com"


def read(tmp_path: Path, toml: str, **environ: str) -> MediaHost | None:
    file = tmp_path / "config.toml"
    file.write_text(toml)
    return load(str(file), None, environ).media_host


def test_file_and_environment(tmp_path: Path) -> None:
    toml = f'[media_host]\nurl = "{URL}/"\nbucket = "my.bucket-1"\nregion = "eu-west-1"\n'
    assert read(tmp_path, toml) == MediaHost(URL, "my.bucket-1", "eu-west-1")
    found = read(
        tmp_path, toml, POSTSCHED_MEDIA_HOST_REGION="us-east-2",
        POSTSCHED_MEDIA_HOST_PUBLIC_URL="https://cdn.example/x/", POSTSCHED_MEDIA_HOST_SECRET="s",
    )  # fmt: skip
    assert found == MediaHost(URL, "my.bucket-1", "us-east-2", "https://cdn.example/x")
    assert found.name == "s3.eu-west-3.amazonaws.com, bucket my.bucket-1"
    assert found.signing_region == "us-east-2"
    assert MediaHost(URL, "b").signing_region == "eu-west-3"
    assert MediaHost("https://me.r2.example", "b").signing_region == "us-east-1"
    assert read(tmp_path, "") is None


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('bucket = "media"', "[media_host] has bucket, and no url"),
        (f'url = "{URL}"\nregion = "x"', "has a region, and no bucket"),
        ('url = "http://dav.example"', "media_host.url in"),
        ('url = "https://me:pw@dav.example"', "//…@dav.example"),
        (f'url = "{URL}"\nbucket = "a/b"', "the name of a bucket"),
        (f'url = "{URL}"\nbucket = ".."', "the name of a bucket"),
        (f'url = "{URL}"\nsecret_key = "hush"', "a secret does not belong in there"),
        (f'url = "{URL}"\nbuckett = "b"', "Did you mean bucket?"),
    ],
)
def test_what_can_not_be(tmp_path: Path, toml: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, f"[media_host]\n{toml}\n")
    assert said.lower() in str(refused.value).lower()
    assert "hush" not in str(refused.value)
    assert "pw" not in str(refused.value)
    with pytest.raises(InvalidInput, match="is not a table"):
        read(tmp_path, 'media_host = "x"')


def test_a_slip_in_a_variable_is_seen(tmp_path: Path) -> None:
    (warning,) = load(None, str(tmp_path / "x.db"), {"POSTSCHED_MEDIA_HOST_BUKET": "b"}).warnings
    assert "did you mean POSTSCHED_MEDIA_HOST_BUCKET?" in warning


def test_its_secret_is_nobody_elses() -> None:
    assert not NAME.fullmatch(ENTRY)
    assert variable(ENTRY) == "POSTSCHED_MEDIA_HOST_SECRET"
