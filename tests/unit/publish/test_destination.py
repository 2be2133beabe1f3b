"""Destinations are a closed set, and never carry a secret."""

from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.publish.destination import parse_destination


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://bucket.example/x",
        "ftp://host/x",
        "memory://x/y",
        "github://owner:repo@/x",
        "file://host/x",
        "s3://",
        "s3:///x",
        "s3://bucket/../other",
        "s3://bucket/%2e%2e/other",
        "s3://-b/x",
        "S3A://bucket/x",
        "s3://bucket/a\nb",
        "simplecache::s3://bucket/x",
        "",
    ],
)
def test_other_schemes_and_crooked_paths_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        parse_destination(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIACANARY:canary@bucket/x",
        "s3://canary@bucket/x",
        "s3://bucket/x?X-Amz-Signature=canary",
        "az://account/container#canary",
        "https://user:canary@host/x",
        "s3://[canary@bucket/x",
    ],
)
def test_a_url_with_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_destination(url)
    assert "canary" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("s3:/bucket/x", "s3://bucket/x"),
        ("s3:bucket", "s3://bucket"),
        ("s3:bucket/x/y", "s3://bucket/x/y"),
        ("S3://bucket/x", "s3://bucket/x"),
        ("S3:/bucket", "s3://bucket"),
        ("gs:/bucket/x", "gs://bucket/x"),
        ("Gs:bucket", "gs://bucket"),
        ("az:/account/container", "az://account/container"),
        ("file:/tmp/x", "file:///tmp/x"),
        ("file:x", "file:///x"),
        ("s3:", "s3://bucket/folder"),
        ("s3:/", "s3://bucket/folder"),
    ],
)
def test_a_url_with_a_slash_missing_is_refused_with_the_right_form(written: str, right: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_destination(written)
    assert f"write it as {right}," in str(caught.value)


@pytest.mark.parametrize("written", ["s3:/user:canary@bucket/x", "S3://bucket/x?sig=canary", "gs:/b#canary"])
def test_a_secret_in_a_misspelt_url_is_not_repeated(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_destination(written)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("written", ["http:/host/x", "s3a:/bucket/x", "ftp:/host"])
def test_another_scheme_with_a_slash_missing_is_no_folder(written: str) -> None:
    with pytest.raises(ConfigError, match="is not written to; use s3, gs, az, file"):
        parse_destination(written)


@pytest.mark.parametrize("written", ["notes:2024/x", "./s3:/bucket", "C:", "/data/s3:x", "a b:c"])
def test_a_folder_with_a_colon_in_its_name_is_a_folder(written: str) -> None:
    assert parse_destination(written).folder == Path(written)


def test_folders_and_buckets_are_told_apart() -> None:
    assert parse_destination("some/folder").folder == Path("some/folder")
    assert parse_destination("file:///a%20b/c").folder == Path("/a b/c")
    for url in ("s3://bucket/a/b", "gs://bucket/a", "az://account/container/a"):
        found = parse_destination(url + "/")
        assert (found.scheme, found.url, found.folder) == (url[:2], url, None)
