"""A study as an RO-Crate: one .zip of everything it gave, with a description that other programs and archives read.

It follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profile Provenance Run Crate 0.5
(https://w3id.org/ro/wfrun/provenance/0.5): the workflow, what it read and gave, and each run of it (`provenance`). All
is taken from the manifest and the records of runs; paths in the crate are those of the manifest, so `verify` works in
an unpacked crate. Weights stay out: they are large, and not the study's to give away. Their name and checksum are in.
"""

from __future__ import annotations

import json
import mimetypes
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.results import manifest, provenance
from styletransfer.results.provenance import ENGINE, STUDY, TOOLS, WEIGHTS, Graph, ref, refs
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import Record
from styletransfer.vgg.sources import described as title

METADATA = "ro-crate-metadata.json"
WORKFLOW = "Snakefile"
README = "README.md"
CODE = (WORKFLOW, "workflow", "envs", "config/README.md", "LICENSE", "CITATION.cff", README)
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
RO_CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_RO_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    WORKFLOW_RO_CRATE: ("Workflow RO-Crate", "1.0"),
}
AUTHOR = "#author"
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".yaml": "application/yaml",
    ".cff": "application/yaml",
    ".avif": "image/avif",
    ".md": "text/markdown",
    ".js": "text/javascript",
}
# Python's own table: the system's differs from machine to machine, and equal studies are to give equal crates.
PYTHON_MEDIA_TYPES = mimetypes.MimeTypes()
# Zip files know no time before; with one time for all files equal studies give equal crates.
TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Author:
    """Who ran a study: their name, their organization's, and its page in the web."""

    name: str
    organization: str
    url: str


def write(path: Path, manifest_path: Path, code: Path, author: Author | None = None) -> None:
    """Pack the study of a manifest into a crate.

    Args:
        path: The crate, a .zip.
        manifest_path: The manifest of the study.
        code: The folder of this workflow's Snakefile.
        author: Who ran the study, if the crate is to say so.

    Raises:
        InputError: A file is not as the manifest has it: a crate is made to be kept.
    """
    if author and not author.url.startswith(("https://", "http://")):
        raise InputError(f"the author's organization has the page {author.url!r}: write it with its https://")
    found = manifest.differences(manifest_path)
    if found.differences:
        raise InputError(
            f"{manifest_path}: {len(found.differences)} differences, the first: {found.differences[0]}. Use `snakemake "
            "verify` to see them all, and fix them first"
        )
    described = manifest.load(manifest_path)
    root = manifest_path.parent / described["root"]
    manifest_name = manifest_path.resolve().relative_to(root.resolve()).as_posix()
    roles = {name: file["role"] for name, file in described["files"].items()}
    names = [name for name, role in roles.items() if role != "weights" and (root / name).exists()]
    folders = dict.fromkeys(PurePosixPath(name).parent for name in names if roles[name] == "run")
    records = {f"{folder}/": Record.read(root / folder / RUN_FILES["record"]) for folder in folders}
    sources = dict(_code(code))
    text = json.dumps(metadata(described, manifest_name, names, list(sources), records, author), indent=1) + "\n"
    packed = {manifest_name: manifest_path, **{name: root / name for name in names}, **sources}
    with atomic.atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, METADATA, text.encode())
        for folder in records:
            _add(archive, folder, b"")  # described as well, and some programs look for it
        for name, file in packed.items():
            _add(archive, name, file.read_bytes())


def metadata(
    described: Mapping[str, Any],
    manifest_name: str,
    packed: Sequence[str],
    sources: Sequence[str],
    records: Mapping[str, Record],
    author: Author | None = None,
) -> dict[str, Any]:
    """The description of a crate: JSON-LD, a flat list of entities that name each other by @id.

    Args:
        described: The manifest.
        manifest_name: Its file.
        packed: The files of the study.
        sources: The files of the workflow.
        records: Of the runs, by their folders, with the slash.
        author: Who ran the study, if that is known.
    """
    files = {name: described["files"][name] for name in packed}
    inputs, tables, figures = (
        [quote(name) for name, file in files.items() if file["role"] == role] for role in ("input", "table", "figure")
    )
    results = [*map(quote, records), *tables, *figures]
    agent = ref(AUTHOR) if author else None
    when_and_who = {"startTime": described["began"], "endTime": described["ended"], "agent": agent}
    versions = ", ".join(f"{name} {'/'.join(found)}" for name, found in described["versions"]["runs"].items())

    graph = Graph()
    graph.add(METADATA, "CreativeWork", about=ref("./"), conformsTo=refs([RO_CRATE, WORKFLOW_RO_CRATE]))
    graph.add(
        "./",
        "Dataset",
        name=f"Neural style transfer: the study {described['study']}",
        description=f"{len(records)} runs, their tables and figures. Numerics {described['numerics']}; {versions}.",
        datePublished=described["created"],
        license=ref("#licence"),
        conformsTo=refs(PROFILES),
        hasPart=refs([quote(manifest_name), *results, *inputs, *map(quote, sources)]),
        mainEntity=ref(WORKFLOW),
        author=agent,
        publisher=author and ref(author.url),
    )
    if author:
        graph.add(AUTHOR, "Person", name=author.name, affiliation=ref(author.url))
        graph.add(author.url, "Organization", name=author.organization, url=author.url)
    _add_workflow(graph, described, sources)
    _add_file(graph, manifest_name, title="Manifest: settings, versions, checksums")
    for name, file in files.items():
        _add_file(graph, name, contentSize=str(file["bytes"]), sha256=file["sha256"])
    _add_folders(graph, records, [name for name, file in files.items() if file["role"] == "run"])
    graph.add(
        STUDY,
        "CreateAction",
        name=f"The study {described['study']}",
        description="Every style transfer of the study, and its tables and figures",
        instrument=ref(WORKFLOW),
        object=refs([*inputs, WEIGHTS]),
        result=refs(results),
        **when_and_who,
    )
    pictures = {file["sha256"]: quote(name) for name, file in files.items() if file["role"] == "input"}
    runs = {quote(folder): record for folder, record in records.items()}
    actions = provenance.add_actions(graph, runs, pictures, tables, figures, described["created"], agent)
    provenance.add_steps(graph, WORKFLOW, actions, **when_and_who)
    graph["./"]["mentions"] = refs([STUDY, *(one for of_step in actions.values() for one in of_step)])
    return {"@context": CONTEXT, "@graph": graph.entities()}


def _add_workflow(graph: Graph, described: Mapping[str, Any], sources: Sequence[str]) -> None:
    """The workflow with its files, what runs it, and what it is given."""
    for uri, (name, version) in PROFILES.items():
        graph.add(uri, "CreativeWork", name=name, version=version)
    code = described["code"]
    revision = code and f"{code['revision']}{' (modified)' if code['modified'] else ''}"
    # It has no page of its own but the one in the crate.
    software: dict[str, Any] = {"version": revision or f"numerics {described['numerics']}", "url": ref(README)}
    graph.add(
        WORKFLOW,
        ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        name="A parameter study of neural style transfer",
        programmingLanguage=ref("#snakemake"),
        conformsTo=ref("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
        license="https://spdx.org/licenses/MIT",
        encodingFormat="text/plain",
        **software,
    )
    for tool in TOOLS:
        _add_file(graph, tool, ["File", "SoftwareSourceCode"], **software)
    for name in sources:
        _add_file(graph, name)
    graph.link(README, "about", "./")
    version = described["versions"]["tables"].get("snakemake")
    graph.add(
        "#snakemake", "ComputerLanguage", name="Snakemake", identifier=ref(ENGINE), url=ref(ENGINE), version=version
    )
    graph.add(ENGINE, ["SoftwareApplication", "WebPage"], name="Snakemake", url=ref(ENGINE), softwareVersion=version)
    graph.add(
        "#licence",
        "CreativeWork",
        name="As of the pictures",
        description="The workflow is under the MIT licence. Pictures may be used as those they are made of.",
    )
    weights = described["weights"]
    graph.add(
        WEIGHTS,
        "CreativeWork",
        name=f"Weights of the network: {title(weights['name'])}",
        identifier=weights.get("source_sha256") and f"sha256:{weights['source_sha256']}",
    )


def _add_folders(graph: Graph, records: Mapping[str, Record], names: Sequence[str]) -> None:
    """A folder for each run. names: the files of all runs."""
    for folder, record in records.items():
        graph.add(
            quote(folder),
            "Dataset",
            name=f"Run {record.run_id}",
            description=f"Picture, losses and record of one style transfer, which ended as {record.status}",
        )
    for name in names:
        graph.link(f"{quote(str(PurePosixPath(name).parent))}/", "hasPart", quote(name))


def _add_file(graph: Graph, name: str, kind: str | list[str] = "File", title: str = "", **properties: Any) -> None:
    path = PurePosixPath(name)
    media_type = MEDIA_TYPES.get(path.suffix) or PYTHON_MEDIA_TYPES.guess_type(name)[0] or "text/plain"
    graph.add(quote(name), kind, name=title or path.name, encodingFormat=media_type, **properties)


def _code(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of the workflow."""
    for name in CODE:
        place = folder / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc" and not path.name.startswith("."):
                yield path.relative_to(folder).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, TIME)
    entry.external_attr = (0o40755 if entry.is_dir() else 0o644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
