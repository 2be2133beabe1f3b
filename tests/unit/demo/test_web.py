"""The web corpus is a correct WARC file with one page per operation."""

from collections import Counter
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text

from demo import web

SERVICES = ("sqs", "sts")


def test_the_warc_is_valid_and_holds_a_page_per_operation(tmp_path: Path) -> None:
    corpus = web.build(tmp_path, SERVICES)
    operations = sum(len(web.chosen(model["operations"], Counter())) for _, model in web.models(SERVICES))
    seen = {}
    with corpus.path.open("rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=False):
            assert record.verify_block_digest(consume=False)
            record.parse_http()
            assert record.verify_payload_digest(consume=False)
            assert record.http_headers.status_code == 200
            seen[record.headers["WARC-Target-URI"]] = record.reader.read().decode()
    assert len(seen) == corpus.documents == operations
    assert sum(len(html.encode()) for html in seen.values()) == corpus.text_bytes
    text = extract_plain_text(seen[f"{web.SITE}/sqs/DeleteMessage"], main_content=True)
    assert "Deletes the specified message from the specified queue" in text
    assert "ReceiptHandle" in text


def test_the_same_botocore_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert web.build(tmp_path, SERVICES).path.read_bytes() == web.build(tmp_path / "again", SERVICES).path.read_bytes()


def test_member_documentation_stops_at_the_limit_but_every_member_is_named() -> None:
    _, model = next(web.models(("ec2",)))
    shape = model["operations"]["RunInstances"]["input"]["shape"]
    listing, left = web._members(model["shapes"], shape, 500, Counter())
    assert left >= 0
    assert all(f"<code>{member}</code>" in listing for member in model["shapes"][shape]["members"])
    full, _ = web._members(model["shapes"], shape, 10**9, Counter())
    assert len(listing) < len(full)


def test_what_hundreds_of_operations_share_is_told_on_few_pages() -> None:
    service, model = next(web.models(("ec2",)))
    pages = [html for _, html in web.pages(service, model, Counter())]
    shared = "Checks whether you have the required permissions for the operation, without actually making the request"
    assert len(pages) > 50
    assert 0 < sum(shared in html for html in pages) <= 2 * web.MOST_TOLD  # two wordings go on differently


def test_few_operations_on_one_thing_of_one_verb_or_of_one_name_get_a_page() -> None:
    told: Counter[str] = Counter()
    names = ["CreateEndpoint", "DeleteEndpoint", "DescribeEndpoints", "Publish", "TagResource", "Untag"]
    assert web.chosen(names, told) == ["CreateEndpoint", "Publish", "TagResource", "Untag"]
    assert [web.chosen(["Publish"], told) for _ in range(2)] == [["Publish"], []]
    of_one_verb = [f"Delete{letter * 3}" for letter in "ABCDEFGH"]
    assert web.chosen([*of_one_verb, "SendQ"], told) == [*of_one_verb[: web.MOST_OF_VERB], "SendQ"]
