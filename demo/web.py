"""The web corpus: the documentation page of every AWS operation, from the models in `botocore`, as a WARC file.

The pages are made here, not fetched: one HTML page per operation, with the navigation and the footer of a documentation
site around the operation's own documentation and that of its input and output members. Addresses lie in a reserved
example domain. Of each service only the newest model is used. To keep the demo small, a page gives the documentation of
its members, in the model's order, until `MEMBER_CHARACTERS` of it stand there; the other members are listed by name and
type. Left out are members whose documentation stands word for word on `MOST_TOLD` pages already: hundreds of operations
share them, and pages that mostly repeat each other are what the gate is there to refuse. For the same reason an
operation of one name in many services, such as `ListTagsForResource`, has a page for the first `MOST_NAMED` of them;
of operations on one thing, such as `CreateEndpoint` and `ModifyEndpoint`, the first `MOST_ON_ONE` of a service have
one, and of those of one verb the first `MOST_OF_VERB`: what a service says of deleting is one sentence with other
names in it. Equal versions of `botocore` give equal bytes.
"""

import gzip
import hashlib
import re
import uuid
from base64 import b32encode
from collections import Counter
from collections.abc import Collection, Iterator
from html import escape
from pathlib import Path
from typing import Any

import orjson

from demo.corpus import Corpus, package_folder, package_versions
from schemas.documents import Kind

SITE = "https://docs.example.org/aws"
CAPTURE_DATE = "2026-01-01T00:00:00Z"
MEMBER_CHARACTERS = 4000
MOST_TOLD, MOST_NAMED, MOST_ON_ONE, MOST_OF_VERB = 3, 2, 1, 5
NEIGHBOURS = 4
GZIP_LEVEL = 5
_VERB = re.compile(r"^(?:Batch)?[A-Z][a-z]+")
Model = dict[str, Any]  # a botocore service model, parsed JSON


def version() -> str:
    """Everything that the bytes of this corpus depend on."""
    return f"web 3, {package_versions(('botocore',))}"


def models(services: Collection[str] | None = None) -> Iterator[tuple[str, Model]]:
    """Services and their newest models, in order of name; only those named, if any are."""
    for folder in sorted((package_folder("botocore") / "data").iterdir()):
        if not folder.is_dir() or (services is not None and folder.name not in services):
            continue
        newest = max(folder.glob("*/service-2.json*"), default=None)
        if newest is not None:
            data = newest.read_bytes()
            yield folder.name, orjson.loads(gzip.decompress(data) if newest.suffix == ".gz" else data)


def chosen(operations: Collection[str], told: Counter[str]) -> list[str]:
    """Operations of a service that get a page, in order.

    Args:
        operations: their names.
        told: services that have each operation; counted on.
    """
    told.update(list(operations))
    things, verbs = Counter[str](), Counter[str]()
    found = []
    for name in sorted(operations):
        verb, thing = _parts(name)
        things[thing] += 1
        verbs[verb] += 1
        if told[name] <= MOST_NAMED and things[thing] <= MOST_ON_ONE and verbs[verb] <= MOST_OF_VERB:
            found.append(name)
    return found


def _parts(operation: str) -> tuple[str, str]:
    """Verb and thing of an operation: `Create` and `Endpoint` of `CreateEndpoints`."""
    found = _VERB.match(operation)
    verb = found.group() if found else ""
    return verb, operation.removeprefix(verb).removesuffix("s") or operation


def pages(service: str, model: Model, told: Counter[str]) -> Iterator[tuple[str, str]]:
    """Address and HTML of one page per operation of a service, in order of name.

    Args:
        service: its name.
        model: of the service.
        told: pages that have each documentation of a member, and each name of an operation; counted on.
    """
    names = chosen(model["operations"], told)
    title = escape(model["metadata"].get("serviceFullName", service))
    for position, name in enumerate(names):
        start = max(0, min(position - NEIGHBOURS // 2, len(names) - NEIGHBOURS - 1))
        links = "".join(
            f'<li><a href="{SITE}/{service}/{other}">{other}</a></li>'
            for other in names[start : start + NEIGHBOURS + 1]
        )
        yield f"{SITE}/{service}/{name}", _page(title, name, links, _article(title, name, model, told))


def _page(service: str, name: str, links: str, article: str) -> str:
    """A whole HTML5 page around an article."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{name} - {service} - API reference</title></head>
<body>
<header><a href="{SITE}/">API reference</a> | <a href="{SITE}/index">All services</a></header>
<nav aria-label="Operations"><ul>{links}</ul></nav>
<main>
{article}
</main>
<footer><p>Text of the botocore service models, Apache License 2.0.</p><p><a href="{SITE}/terms">Terms</a></p></footer>
</body>
</html>
"""


def _article(service: str, name: str, model: Model, told: Counter[str]) -> str:
    """Heading, documentation, members and errors of one operation."""
    operation = model["operations"][name]
    http = operation.get("http", {})
    parts = [f"<h1>{name}</h1>", operation.get("documentation") or f"<p>{service} operation {name}.</p>"]
    if http.get("requestUri", "/") != "/":
        parts.append(f"<h2>Request syntax</h2><pre>{http.get('method', 'POST')} {escape(http['requestUri'])}</pre>")
    budget = MEMBER_CHARACTERS
    for side, heading in (("input", "Request parameters"), ("output", "Response elements")):
        if side in operation:
            listing, budget = _members(model["shapes"], operation[side]["shape"], budget, told)
            parts.append(f"<h2>{heading}</h2>{listing}" if listing else "")
    errors = "".join(f"<li>{error['shape']}</li>" for error in operation.get("errors", []))
    parts.append(f"<h2>Errors</h2><ul>{errors}</ul>" if errors else "")
    return "\n".join(part for part in parts if part)


def _members(shapes: Model, shape_name: str, budget: int, told: Counter[str]) -> tuple[str, int]:
    """Definition list of a structure's members, and the characters of documentation that are left to the page."""
    shape = shapes[shape_name]
    required = frozenset(shape.get("required", ()))
    items = []
    for member, reference in shape.get("members", {}).items():
        target = reference["shape"]
        documentation = reference.get("documentation") or shapes[target].get("documentation", "")
        if documentation and told[documentation] >= MOST_TOLD:
            continue
        if len(documentation) > budget:
            documentation, budget = "", 0
        told[documentation] += 1
        budget -= len(documentation)
        need = ", required" if member in required else ""
        items.append(
            f"<dt><code>{member}</code> ({shapes[target]['type']} {target}{need})</dt><dd>{documentation}</dd>"
        )
    return ("<dl>" + "\n".join(items) + "</dl>" if items else ""), budget


def _digest(data: bytes) -> bytes:
    """SHA-1 in base 32, the form that WARC files customarily carry; it names content and protects nothing."""
    return b"sha1:" + b32encode(hashlib.sha1(data, usedforsecurity=False).digest())


def _record(
    record_type: str, name: str, content_type: str, block: bytes, headers: tuple[tuple[str, bytes], ...]
) -> bytes:
    """One WARC/1.1 record as one gzip member. `name` alone decides its record id."""
    lines = (
        ("WARC-Type", record_type.encode()),
        ("WARC-Record-ID", f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>".encode()),
        ("WARC-Date", CAPTURE_DATE.encode()),
        *headers,
        ("WARC-Block-Digest", _digest(block)),
        ("Content-Type", content_type.encode()),
        ("Content-Length", str(len(block)).encode()),
    )
    head = b"".join(key.encode() + b": " + value + b"\r\n" for key, value in lines)
    return gzip.compress(b"WARC/1.1\r\n" + head + b"\r\n" + block + b"\r\n\r\n", GZIP_LEVEL, mtime=0)


def response(url: str, html: str) -> bytes:
    """A response record that carries one page."""
    payload = html.encode()
    http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(payload)}\r\n\r\n"
    named = (("WARC-Target-URI", url.encode()), ("WARC-Payload-Digest", _digest(payload)))
    return _record("response", url, "application/http; msgtype=response", http.encode() + payload, named)


def build(out: Path, services: Collection[str] | None = None) -> Corpus:
    """Write `web.warc.gz` into `out`: one warcinfo record, then a response record per operation.

    Raises:
        PolycultureError: botocore is not installed.
    """
    path = out / "web.warc.gz"
    documents = text_bytes = 0
    told: Counter[str] = Counter()
    about = (
        f"software: polyculture demo\r\ndescription: pages made from {package_versions(('botocore',))}, not a crawl\r\n"
    )
    with path.open("wb") as file:
        filename = (("WARC-Filename", path.name.encode()),)
        file.write(_record("warcinfo", f"{SITE}/warcinfo", "application/warc-fields", about.encode(), filename))
        for service, model in models(services):
            for url, html in pages(service, model, told):
                file.write(response(url, html))
                documents += 1
                text_bytes += len(html.encode())
    return Corpus("aws_docs", Kind.WEB, path, documents, text_bytes)
