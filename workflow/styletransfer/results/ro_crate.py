"""A study as an RO-Crate: one .zip of everything it gave, with a description that other programs and archives read.

It follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profile Workflow Run Crate 0.5
(https://w3id.org/ro/wfrun/workflow/0.5): the workflow, one action that ran it, what it read and what it gave. All is
taken from the manifest, and paths in the crate are those of the manifest, so `verify` works in an unpacked crate.
Weights stay out: they are large, and not the study's to give away. Their name and checksum are in it.
"""

from __future__ import annotations

import json
import mimetypes
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.results import manifest
from styletransfer.vgg.sources import described as title

METADATA = "ro-crate-metadata.json"
WORKFLOW = "Snakefile"
CODE = ("Snakefile", "workflow", "envs", "config/README.md", "LICENSE", "CITATION.cff", "README.md")
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
RO_CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_RO_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_RO_CRATE: ("Workflow RO-Crate", "1.0"),
}
SNAKEMAKE = "https://snakemake.github.io"
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
Entity = dict[str, Any]


def write(path: Path, manifest_path: Path, code: Path) -> None:
    """Pack the study of a manifest into a crate.

    Args:
        path: The crate, a .zip.
        manifest_path: The manifest of the study.
        code: The folder of this workflow's Snakefile.

    Raises:
        InputError: A file is not as the manifest has it: a crate is made to be kept.
    """
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
    sources = dict(_code(code))
    text = json.dumps(metadata(described, manifest_name, names, list(sources)), indent=1) + "\n"
    packed = {manifest_name: manifest_path, **{name: root / name for name in names}, **sources}
    with atomic.atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, METADATA, text.encode())
        for folder in dict.fromkeys(PurePosixPath(name).parent for name in names if roles[name] == "run"):
            _add(archive, f"{folder}/", b"")  # described as well, and some programs look for it
        for name, file in packed.items():
            _add(archive, name, file.read_bytes())


def metadata(described: Mapping[str, Any], manifest_name: str, packed: list[str], sources: list[str]) -> dict[str, Any]:
    """The description of a crate: JSON-LD, a flat list of entities that name each other by @id.

    Args:
        described: The manifest.
        manifest_name: Its file.
        packed: The files of the study.
        sources: The files of the workflow.
    """
    files = {name: described["files"][name] for name in packed}
    inputs = [quote(name) for name, file in files.items() if file["role"] == "input"]
    shown = [quote(name) for role in ("table", "figure") for name, file in files.items() if file["role"] == role]
    runs = _runs(described["runs"], [name for name, file in files.items() if file["role"] == "run"])
    code = described["code"]
    weights = described["weights"]
    versions = ", ".join(f"{name} {'/'.join(found)}" for name, found in described["versions"]["runs"].items())
    return {
        "@context": CONTEXT,
        "@graph": [
            _entity(METADATA, "CreativeWork", about=_ref("./"), conformsTo=_refs([RO_CRATE, WORKFLOW_RO_CRATE])),
            _entity(
                "./",
                "Dataset",
                name=f"Neural style transfer: the study {described['study']}",
                description=f"{len(described['runs'])} runs, their tables and figures. "
                f"Numerics {described['numerics']}; {versions}.",
                datePublished=described["created"],
                license=_ref("#licence"),
                conformsTo=_refs(PROFILES),
                hasPart=_refs([quote(manifest_name), *_ids(runs), *shown, *inputs, *map(quote, sources)]),
                mainEntity=_ref(WORKFLOW),
                mentions=_ref("#study"),
            ),
            _entity(
                "#licence",
                "CreativeWork",
                name="As of the pictures",
                description="The workflow is under the MIT licence. Pictures may be used as those they are made of.",
            ),
            *(_entity(uri, "CreativeWork", name=name, version=version) for uri, (name, version) in PROFILES.items()),
            _entity(
                WORKFLOW,
                ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
                name="A parameter study of neural style transfer",
                programmingLanguage=_ref("#snakemake"),
                conformsTo=_ref("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
                license="https://spdx.org/licenses/MIT",
                encodingFormat="text/plain",
                version=code and f"{code['revision']}{' (modified)' if code['modified'] else ''}",
            ),
            _entity(
                "#snakemake",
                "ComputerLanguage",
                name="Snakemake",
                identifier=_ref(SNAKEMAKE),
                url=_ref(SNAKEMAKE),
                version=described["versions"]["tables"].get("snakemake"),
            ),
            _entity(SNAKEMAKE, "WebPage", name="Snakemake"),
            _entity(
                "#weights",
                "CreativeWork",
                name=f"Weights of the network: {title(weights['name'])}",
                identifier=weights.get("source_sha256") and f"sha256:{weights['source_sha256']}",
            ),
            _entity(
                "#study",
                "CreateAction",
                name=f"The study {described['study']}",
                description="Every style transfer of the study, and its tables and figures",
                instrument=_ref(WORKFLOW),
                object=_refs([*inputs, "#weights"]),
                result=_refs([*_ids(runs), *shown]),
                startTime=described["began"],
                endTime=described["ended"],
            ),
            _file(manifest_name) | {"name": "Manifest: settings, versions, checksums"},
            *runs,
            *(_file(name, contentSize=str(file["bytes"]), sha256=file["sha256"]) for name, file in files.items()),
            *(_file(name, about=name == "README.md" and _ref("./")) for name in sources if name != WORKFLOW),
        ],
    }


def _runs(statuses: Mapping[str, str], names: list[str]) -> list[Entity]:
    """A folder for each run. statuses: of runs by their id. names: the files of all runs."""
    parts: dict[PurePosixPath, list[str]] = {}
    for name in names:
        parts.setdefault(PurePosixPath(name).parent, []).append(quote(name))
    return [
        _entity(
            f"{quote(str(folder))}/",
            "Dataset",
            name=f"Run {folder.name}",
            description=f"Picture, losses and record of one style transfer, which ended as {statuses[folder.name]}",
            hasPart=_refs(found),
        )
        for folder, found in parts.items()
    ]


def _file(name: str, **properties: Any) -> Entity:
    path = PurePosixPath(name)
    media_type = MEDIA_TYPES.get(path.suffix) or PYTHON_MEDIA_TYPES.guess_type(name)[0] or "text/plain"
    return _entity(quote(name), "File", name=path.name, encodingFormat=media_type, **properties)


def _entity(identifier: str, kind: str | list[str], /, **properties: Any) -> Entity:
    """An entity with those of the properties that are known."""
    return {"@id": identifier, "@type": kind, **{name: value for name, value in properties.items() if value}}


def _ids(entities: Iterable[Entity]) -> list[str]:
    return [entity["@id"] for entity in entities]


def _ref(identifier: str) -> dict[str, str]:
    return {"@id": identifier}


def _refs(identifiers: Iterable[str]) -> list[dict[str, str]]:
    return list(map(_ref, identifiers))


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
