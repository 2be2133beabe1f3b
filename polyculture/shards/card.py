"""The dataset card of a run: README.md, with the front matter that Hugging Face reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pyarrow as pa
import yaml

from polyculture.shards.facts import Held, ShardFacts
from polyculture.shards.listing import TRAIN, groups_as_read
from polyculture.storage.messages import plain, row
from schemas.accounts import FileDigest
from schemas.documents import DOCUMENT_FIELDS
from schemas.manifest import Manifest

CARD_FILE = "README.md"
MOST_ROWS = 30  # of a table of licences or languages; what is over it is summed up
LANGUAGE_SHARE = 0.01  # of the documents, from which a language stands in the front matter
HUB_TYPES = {pa.string(): "string", pa.large_string(): "large_string", pa.int64(): "int64", pa.float64(): "float64"}
# Licences that the hub has a name for, in lower case; any other is `other`.
HUB_LICENSE = re.compile(
    r"apache-2\.0|mit|bsd(-[23]-clause)?|cc0-1\.0|cc-by-(2\.[05]|[34]\.0)|cc-by(-nc)?(-sa|-nd)?-[34]\.0|isc|unlicense|"
    r"cdla-(permissive|sharing)-1\.0|cdla-permissive-2\.0|epl-[12]\.0|eupl-1\.[12]|gfdl|a?gpl-3\.0|gpl-2\.0|lgpl-2\.1|"
    r"lgpl-3\.0|mpl-2\.0|odc-by|odbl|ofl-1\.1|pddl|postgresql|zlib|artistic-2\.0|bsl-1\.0"
)
SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B", "10B<n<100B")

_NUMBER = re.compile(r"-(\d+)(?=-of-\d+\.arrow$)")
LOADING = """## Read it
The order of the rows is the order of training: it is shuffled, and holds the epochs. In this folder:

```python
import os
run = os.getcwd()

from polyculture.shards.reader import ShardReader  # for any number of ranks and workers, with exact resume
for row in ShardReader(run{group}): ...

import datasets
data = datasets.load_dataset(run, split="{split}", streaming=True)

import polars, pyarrow.ipc
frame = polars.{polars}("shards/{first}")
table = pyarrow.ipc.{pyarrow}("shards/{first}").read_all()
```

`polyculture verify .` reads everything again and compares it with `manifest.json`.
"""


@dataclass(frozen=True, slots=True)
class WorthSaid:
    """Worth of the tokens, in words.

    Attributes:
        sentences: Markdown; names in them are escaped.
        repeats: a header and the rows of the tokens by repeat count.
    """

    sentences: Sequence[str]
    repeats: Sequence[list[str]]


def render_card(manifest: Manifest, facts: ShardFacts, worth: WorthSaid | None = None) -> str:
    """The card of a run whose shards are written. No text of a document is in it; names from records are escaped.

    Args:
        manifest: manifest with the shards among its files.
        facts: content of the shards.
        worth: what repeats leave of the tokens' worth, if it is known.

    Returns:
        Markdown; the same for equal arguments.
    """
    groups = groups_as_read(manifest)
    front = yaml.safe_dump(_front_matter(manifest, facts, groups), sort_keys=False, allow_unicode=False, width=120)
    parts = [
        f"---\n{front}---\n",
        _what(manifest, groups),
        *([_worth(worth)] if worth else []),
        "## Sources\n" + _sources(manifest),
        "## Licences\nAs records and sources state them, by rows of the shards.\n\n" + _held("licence", facts.licenses),
        "## Languages\nAs records state them, or identified.\n\n" + _held("language", facts.languages),
        _removed(manifest),
        _verdict(manifest),
        _loading(facts, groups),
    ]
    return "\n".join(parts)


def split_name(group: str) -> str:
    """A group of shards as a split of Hugging Face datasets: letters, digits and `_`."""
    return re.sub(r"\W", "_", group, flags=re.ASCII)


def hub_licenses(facts: ShardFacts) -> list[str]:
    """Licences under the names of the hub, sorted: `other` for those it has no name for, `unknown` for none stated."""
    found = set()
    for name in facts.licenses:
        folded = (name or "unknown").strip().lower()
        found.add(folded if HUB_LICENSE.fullmatch(folded) or folded == "unknown" else "other")
    return sorted(found) or ["unknown"]


def hub_languages(facts: ShardFacts) -> list[str]:
    """Codes of languages of at least one document in a hundred, sorted."""
    documents = sum(held.documents for held in facts.languages.values())
    found = set()
    for name, held in facts.languages.items():
        code = re.split("[-_]", name or "und")[0].lower()
        if code != "und" and re.fullmatch("[a-z]{2,3}", code) and held.documents >= LANGUAGE_SHARE * documents:
            found.add(code)
    return sorted(found)


def _front_matter(manifest: Manifest, facts: ShardFacts, groups: dict[str, tuple[FileDigest, ...]]) -> dict[str, Any]:
    rows = {group: sum(shard.rows or 0 for shard in shards) for group, shards in groups.items()}
    sizes = {group: sum(shard.bytes for shard in shards) for group, shards in groups.items()}
    total, licenses, languages = sum(rows.values()), hub_licenses(facts), hub_languages(facts)
    kinds = sorted({account.kind.value for account in manifest.conservation if account.written})
    front: dict[str, Any] = {"pretty_name": manifest.name}
    if languages:
        front["language"] = languages
    front["license"] = licenses[0] if len(licenses) == 1 else licenses
    front |= {
        "size_categories": [SIZES[min(max(len(str(total)) - 3, 0), len(SIZES) - 1)]],
        "task_categories": ["text-generation"],
        "tags": ["polyculture", "deduplicated", *kinds],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split_name(group), "path": _patterns(group, groups)} for group in groups],
            }
        ],
        "dataset_info": {
            "features": [{"name": field.name, "dtype": HUB_TYPES[field.type]} for field in DOCUMENT_FIELDS],
            "splits": [
                {"name": split_name(group), "num_bytes": sizes[group], "num_examples": rows[group]} for group in groups
            ],
            "download_size": sum(sizes.values()),
            "dataset_size": sum(sizes.values()),
        },
    }
    return front


def _patterns(group: str, groups: dict[str, tuple[FileDigest, ...]]) -> str | list[str]:
    """Pattern, or patterns, that the shards of one group fit, and those of no other: `a-*` may fit those of `a-b`."""
    names = [shard.path for shard in groups[group]]
    others = [shard.path for name, shards in groups.items() if name != group for shard in shards]
    short = _NUMBER.sub("-*", names[0])
    if all(fnmatchcase(name, short) for name in names) and not any(fnmatchcase(name, short) for name in others):
        return short
    exact = sorted({_NUMBER.sub(lambda number: "-" + "[0-9]" * len(number[1]), name) for name in names})
    return exact[0] if len(exact) == 1 else exact


def _what(manifest: Manifest, groups: dict[str, tuple[FileDigest, ...]]) -> str:
    written = sum(account.written for account in manifest.conservation)
    tokens = sum(account.written_tokens for account in manifest.conservation)
    shown = ", ".join(
        f"{len(shards):,} of {plain(group)} ({sum(shard.rows or 0 for shard in shards):,} rows)"
        for group, shards in groups.items()
    )
    lines = [
        f"# {plain(manifest.name)}",
        "",
        f"A corpus to train language models on: {written:,} documents, {tokens:,} tokens, from "
        f"{len(manifest.conservation)} sources, deduplicated over their union and mixed by Polyculture "
        f"{manifest.version}. Shards: {shown}. Columns are listed in the front matter; `text` is as it was read.",
        f"Tokens are those of the tokenizer with the SHA-256 `{manifest.tokenizer_sha256}`, without special tokens.",
    ]
    plan = manifest.plan
    if plan is not None and plan.lacking_tokens:
        lines.append(f"The budget was {plan.budget_tokens:,} tokens; it lacks {plan.lacking_tokens:,}.")
    if manifest.parent is not None:
        lines.append(
            f"It continues the run {plain(manifest.parent.name)} (manifest `{manifest.parent.manifest_sha256}`), of "
            f"which {manifest.parent.consumed_tokens:,} tokens had been read, and holds nothing that that run holds."
        )
    return "\n".join(lines) + "\n"


def _worth(worth: WorthSaid) -> str:
    header, *rows = worth.repeats
    table = [row(header), "|---|" + "---:|" * (len(header) - 1), *map(row, rows)]
    return "\n".join(["## Worth", *worth.sentences, "", *table]) + "\n"


def _sources(manifest: Manifest) -> str:
    licenses = {source.name: source.license for source in manifest.config.sources}
    total = sum(account.written_tokens for account in manifest.conservation)
    lines = [
        row(["source", "kind", "licence", "read", "removed", "kept", "repeated", "tokens", "share"]),
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for account in sorted(manifest.conservation, key=lambda found: found.name):
        counts = (account.read, sum(account.removed.values()), account.kept, account.repeated, account.written_tokens)
        share = account.written_tokens / total if total else 0.0
        stated = licenses.get(account.name) or "by record"
        lines.append(row([account.name, account.kind.value, stated, *(f"{n:,}" for n in counts), f"{share:.3f}"]))
    notes = "Web and expert documents are by people, synthetic ones by models, as the owner of the corpus declares."
    return "\n".join([*lines, "", notes]) + "\n"


def _held(what: str, found: dict[str | None, Held]) -> str:
    lines = [row([what, "documents", "tokens"]), "|---|---:|---:|"]
    shown = list(found.items())[:MOST_ROWS]
    for name, held in shown:
        lines.append(row(["none stated" if name is None else name[:80], f"{held.documents:,}", f"{held.tokens:,}"]))
    rest = list(found.values())[MOST_ROWS:]
    if rest:
        documents, tokens = sum(held.documents for held in rest), sum(held.tokens for held in rest)
        lines.append(row([f"{len(rest):,} more", f"{documents:,}", f"{tokens:,}"]))
    return "\n".join(lines) + "\n"


def _removed(manifest: Manifest) -> str:
    reasons: dict[str, int] = {}
    for account in manifest.conservation:
        for reason, documents in account.removed.items():
            reasons[reason] = reasons.get(reason, 0) + documents
    near = manifest.config.dedupe.near
    shown = ", ".join(f"{reason}: {documents:,}" for reason, documents in sorted(reasons.items())) or "none"
    how = f"Near: Jaccard of word 5-gram shingles at least {near.threshold:g}, verified on the texts." if near else ""
    return (
        f"## Deduplication\nDocuments removed, by lens: {shown}. {how} Each names the document that was kept in its "
        "place, in `removed/`; what was unreadable is in `quarantined/`.\n"
    )


def _verdict(manifest: Manifest) -> str:
    return (
        "## Verdict\n`verdict.json` is the gate's verdict on this mixture. It holds the SHA-256 of `manifest.json`, "
        "which holds that of every other file, this one included: change a byte, and the verdict is void. Made from "
        f"the configuration `{manifest.config_sha256}` and the inputs, code and models of the identity "
        f"`{manifest.identity_sha256}`.\n"
    )


def _loading(facts: ShardFacts, groups: dict[str, tuple[FileDigest, ...]]) -> str:
    group = TRAIN if TRAIN in groups else next(iter(groups), TRAIN)
    first = groups[group][0].path if group in groups else "shards/"
    is_file = facts.form == "file"
    polars, pyarrow = ("read_ipc", "open_file") if is_file else ("read_ipc_stream", "open_stream")
    text = LOADING.replace("shards/{first}", first).replace("{split}", split_name(group))
    text = text.replace("{group}", "" if group == TRAIN else f', group="{group}"')
    return text.replace("{polars}", polars).replace("{pyarrow}", pyarrow)
