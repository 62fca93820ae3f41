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
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.results import manifest
from styletransfer.vgg.sources import described

METADATA = "ro-crate-metadata.json"
WORKFLOW = "Snakefile"
CODE = ("Snakefile", "workflow", "envs", "config/README.md", "LICENSE", "CITATION.cff", "README.md")
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".safetensors": "application/octet-stream",
    ".avif": "image/avif",
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".smk": "text/plain",
    ".cff": "application/yaml",
    ".md": "text/markdown",
}
# Zip files know no time before; with one time for all files equal studies give equal crates.
TIME = (1980, 1, 1, 0, 0, 0)
Entity = dict[str, Any]


def write(path: Path, manifest_path: Path, code: Path) -> None:
    """Pack the study of a manifest into `path`, a .zip. code: the folder of this workflow's Snakefile.

    Raises `InputError` if a file is not as the manifest has it: a crate is made to be kept.
    """
    found = manifest.differences(manifest_path)
    if found.differences:
        raise InputError(
            f"{manifest_path}: {len(found.differences)} differences, the first: {found.differences[0]}. Say `snakemake "
            "verify` to see them all, and fix them first"
        )
    described = manifest.load(manifest_path)
    root = manifest_path.parent / described["root"]
    manifest_name = manifest_path.resolve().relative_to(root.resolve()).as_posix()
    packed = {
        name: root / name for name, file in described["files"].items() if _is_packed(file) and (root / name).exists()
    }
    sources = dict(_code(code))
    with atomic.atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(
            archive,
            METADATA,
            (json.dumps(metadata(described, manifest_name, list(packed), list(sources)), indent=1) + "\n").encode(),
        )
        for name, file in {manifest_name: manifest_path, **packed, **sources}.items():
            _add(archive, name, file.read_bytes())


def metadata(described: Mapping[str, Any], manifest_name: str, packed: list[str], sources: list[str]) -> dict[str, Any]:
    """The description: JSON-LD, a flat list of entities that name each other by @id.

    described: the manifest, whose file is `manifest_name`. packed, sources: the files of the study and of the workflow.
    """
    by_role: dict[str, list[str]] = {}
    for name in packed:
        by_role.setdefault(described["files"][name]["role"], []).append(name)
    runs = _runs(described, by_role.get("run", []))
    shown = [*by_role.get("table", []), *by_role.get("figure", [])]
    data = [_file(name, described["files"][name]) for name in packed]
    code = [_file(name, {}) for name in sources if name != WORKFLOW]
    parts = [
        _id(manifest_name),
        *(run["@id"] for run in runs),
        *map(_id, shown),
        *map(_id, by_role.get("input", [])),
        *map(_id, sources),
    ]
    action = {
        "@id": "#study",
        "@type": "CreateAction",
        "name": f"The study {described['study']}",
        "description": "Every style transfer of the study, and its tables and figures",
        "instrument": _ref(_id(WORKFLOW)),
        "object": [*(_ref(_id(name)) for name in by_role.get("input", [])), _ref("#weights")],
        "result": [*(_ref(run["@id"]) for run in runs), *(_ref(_id(name)) for name in shown)],
        "startTime": described["began"],
        "endTime": described["ended"],
    }
    return {
        "@context": CONTEXT,
        "@graph": [
            {
                "@id": METADATA,
                "@type": "CreativeWork",
                "about": _ref("./"),
                "conformsTo": [
                    _ref("https://w3id.org/ro/crate/1.1"),
                    _ref("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
                ],
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": f"Neural style transfer: the study {described['study']}",
                "description": _description(described),
                "datePublished": described["created"],
                "license": _ref("#licence"),
                "conformsTo": [_ref(profile) for profile in PROFILES],
                "hasPart": [_ref(part) for part in parts],
                "mainEntity": _ref(_id(WORKFLOW)),
                "mentions": _ref("#study"),
            },
            {
                "@id": "#licence",
                "@type": "CreativeWork",
                "name": "As of the pictures",
                "description": "The workflow is under the MIT licence. Pictures may be used as those they are made of.",
            },
            *(
                {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
                for profile, (name, version) in PROFILES.items()
            ),
            _workflow(described),
            {
                "@id": "#snakemake",
                "@type": "ComputerLanguage",
                "name": "Snakemake",
                "identifier": _ref("https://snakemake.github.io"),
                "url": _ref("https://snakemake.github.io"),
                **_optional(version=described["versions"]["tables"].get("snakemake")),
            },
            {"@id": "https://snakemake.github.io", "@type": "WebPage", "name": "Snakemake"},
            _weights(described["weights"]),
            action,
            {
                "@id": _id(manifest_name),
                "@type": "File",
                "name": "Manifest: settings, versions, checksums",
                "encodingFormat": "application/json",
            },
            *runs,
            *data,
            *code,
        ],
    }


def _description(described: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {'/'.join(found)}" for name, found in described["versions"]["runs"].items())
    return f"{len(described['runs'])} runs, their tables and figures. Numerics {described['numerics']}; {versions}."


def _workflow(described: Mapping[str, Any]) -> Entity:
    code = described["code"] or {}
    version = f"{code['revision']}{' (modified)' if code['modified'] else ''}" if code else None
    return {
        "@id": _id(WORKFLOW),
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "A parameter study of neural style transfer",
        "programmingLanguage": _ref("#snakemake"),
        "conformsTo": _ref("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
        "license": "https://spdx.org/licenses/MIT",
        "encodingFormat": "text/plain",
        **_optional(version=version),
    }


def _weights(weights: Mapping[str, Any]) -> Entity:
    return {
        "@id": "#weights",
        "@type": "CreativeWork",
        "name": f"Weights of the network: {described(weights['name'])}",
        **_optional(identifier=weights.get("source_sha256") and f"sha256:{weights['source_sha256']}"),
    }


def _runs(described: Mapping[str, Any], names: list[str]) -> list[Entity]:
    """A folder for each run."""
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(PurePosixPath(name).parent.as_posix(), []).append(name)
    return [_run(folder, found, described["runs"]) for folder, found in parts.items()]


def _run(folder: str, names: list[str], statuses: Mapping[str, str]) -> Entity:
    run_id = PurePosixPath(folder).name
    return {
        "@id": f"{_id(folder)}/",
        "@type": "Dataset",
        "name": f"Run {run_id}",
        "description": f"Picture, losses and record of one style transfer, which ended as {statuses[run_id]}",
        "hasPart": [_ref(_id(name)) for name in names],
    }


def _file(name: str, known: Mapping[str, Any]) -> Entity:
    checks = {"contentSize": str(known["bytes"]), "sha256": known["sha256"]} if known else {}
    return {
        "@id": _id(name),
        "@type": "File",
        "name": PurePosixPath(name).name,
        "encodingFormat": _media_type(name),
        **checks,
    }


def _media_type(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"


def _id(name: str) -> str:
    """A path as a relative address."""
    return quote(name)


def _ref(name: str) -> dict[str, str]:
    return {"@id": name}


def _optional(**values: Any) -> Entity:
    return {name: value for name, value in values.items() if value}


def _is_packed(file: Mapping[str, Any]) -> bool:
    return file["role"] != "weights"


def _code(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of the workflow."""
    for name in CODE:
        place = folder / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc" and not path.name.startswith("."):
                yield path.relative_to(folder).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, TIME)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
