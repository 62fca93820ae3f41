"""The manifest of a study notices every change of every file; the crate holds what it describes."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.records import record
from helpers.studies import ENGINE, ROOT
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks
from styletransfer.results import manifest, ro_crate
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import Record, complete_record
from styletransfer.settings import Artifact, Settings
from styletransfer.study.plan import Row, Source, Study

CONTENT, STYLE, WEIGHTS = Artifact("photo", "sha256:0"), Artifact("art", "glass@1"), Artifact("vgg16", "hed@1")
SETTINGS = {"study": "s", "vary": {"style_weight": [1, 2]}}
INPUTS = {"photo": "resources/pictures/a photo.png", "art": "resources/paintings/art.png"}
NETWORK = "resources/weights/vgg16.safetensors"
MANIFEST = Path("results/studies/s/manifest.json")
TABLES = ["results/studies/s/runs.csv"]
FIGURES = ["results/studies/s/figures/sheet.png", "results/studies/s/explorer"]


def put(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def put_run(run):
    folder = Path("results/runs") / run.run_id
    outputs = {name: put(folder / name, f"{name} of {run.style_weight}") for name in RUN_FILES.values()}
    del outputs["run.json"]
    made = record(
        run,
        outputs=outputs,
        start=f"2026-01-0{run.style_weight:g}T00:00:00.000+00:00",
        end=f"2026-01-0{run.style_weight:g}T01:00:00.000+00:00",
        inputs={"content": checks.checksum(Path(INPUTS["photo"])), "styles": ["5e"]},
        versions={"python": f"3.11.{run.style_weight:g}", "tensorflow": "2.21.0"},
    )
    made.write(folder / "run.json")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two runs in the working directory, whose files hold a few words each."""
    monkeypatch.chdir(tmp_path)
    made = [Settings(content=CONTENT, styles=(STYLE,), weights=WEIGHTS, style_weight=weight) for weight in (1, 2)]
    for path in (*TABLES, FIGURES[0], f"{FIGURES[1]}/index.html", f"{FIGURES[1]}/pictures/a.avif", *INPUTS.values()):
        put(path, f"this is {path}")
    put(f"{FIGURES[1]}/.snakemake_timestamp", "")
    put(NETWORK, "weights")
    for run in made:
        put_run(run)
    rows = tuple(Row("photo x art", "style_weight", run.style_weight, "", False, run) for run in made)
    sources = {
        "photo": Source(CONTENT, "path", "photo.jpg", INPUTS["photo"]),
        "art": Source(STYLE, "painting", "glass", INPUTS["art"]),
    }
    return Study("s", SETTINGS, Source(WEIGHTS, "source", "keras", NETWORK), sources, rows)


def describe(study):
    sources = manifest.Sources(TABLES, FIGURES, list(INPUTS.values()), NETWORK)
    described = manifest.describe(study, Path("results/runs"), sources, MANIFEST.parent)
    atomic.write_text(MANIFEST, json.dumps(described))
    return described


def test_every_change_of_every_file_is_named(study):
    described = describe(study)
    assert len(described["files"]) == 2 * len(RUN_FILES) + 4 + 3
    found = manifest.differences(MANIFEST, SETTINGS)
    assert (found.differences, found.absent, found.files) == ([], [], len(described["files"]))
    for name, file in described["files"].items():
        path = Path(name)
        whole = path.read_bytes()
        for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1], b"", whole + b"\n"):
            path.write_bytes(damaged)
            (difference,) = manifest.differences(MANIFEST).differences
            assert difference.startswith(f"{name}: ")
        path.unlink()
        found = manifest.differences(MANIFEST)
        if file["role"] in ("input", "weights"):
            assert (found.differences, found.absent) == ([], [name])
        else:
            assert found.differences == [f"{name}: missing"]
        path.write_bytes(whole)
    assert manifest.differences(MANIFEST).differences == []


def test_runs_that_keep_a_second_picture_stay_valid(study):
    """Once each run kept its picture in the content's colours as well."""
    folders = [Path("results/runs") / run_id for run_id in study.runs]
    for folder in folders:
        old = Record.read(folder / "run.json")
        second = put(folder / "preserved.png", f"another {folder}")
        settings = {name: value for name, value in old.settings.items() if name != "colors"}
        dataclasses.replace(old, settings=settings, outputs=old.outputs | {"preserved.png": second}).write(
            folder / "run.json"
        )
        assert complete_record(folder / "run.json", verify=True).outputs["preserved.png"] == second
    described = describe(study)
    assert not [name for name in described["files"] if "preserved" in name]
    assert manifest.differences(MANIFEST).differences == []
    described["files"] |= {
        (folder / "preserved.png").as_posix(): {
            "role": "run",
            "bytes": (folder / "preserved.png").stat().st_size,
            "sha256": Record.read(folder / "run.json").outputs["preserved.png"],
        }
        for folder in folders
    }
    atomic.write_text(MANIFEST, json.dumps(described))
    assert manifest.differences(MANIFEST).differences == [], "the manifest of old"


def test_what_it_tells(study):
    described = describe(study)
    assert described["settings"] == SETTINGS
    assert described["versions"]["runs"] == {"python": ["3.11.1", "3.11.2"], "tensorflow": ["2.21.0"]}
    assert described["versions"]["tables"]["pandas"]
    assert described["pictures"]["photo"] == {"source": "sha256:0", "sha256": [checks.checksum(Path(INPUTS["photo"]))]}
    assert described["pictures"]["art"] == {"source": "glass@1", "sha256": ["5e"]}
    assert (described["began"][:10], described["ended"][:10]) == ("2026-01-01", "2026-01-02")
    assert set(described["runs"]) == set(study.runs)
    sums = "".join(f"{file['sha256']}  {name}\n" for name, file in described["files"].items())
    assert subprocess.run(["sha256sum", "--check", "--quiet"], input=sums, text=True, check=False).returncode == 0


def test_a_changed_config_is_a_difference(study):
    describe(study)
    changed = {"study": "s", "vary": {"style_weight": [1, 3]}}
    (difference,) = manifest.differences(MANIFEST, changed).differences
    assert difference == "config: vary.style_weight is [1, 3], was [1, 2]"


def test_a_study_may_be_moved(study, tmp_path, monkeypatch):
    describe(study)
    shutil.move("results", tmp_path / "elsewhere")
    monkeypatch.chdir("/")
    found = manifest.differences(tmp_path / "elsewhere/studies/s/manifest.json")
    assert len(found.differences) == 2 * len(RUN_FILES) + 4, "paths begin at the folder that the workflow ran in"
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "elsewhere", tmp_path / "moved/results")
    found = manifest.differences(tmp_path / "moved" / MANIFEST)
    assert (found.differences, len(found.absent)) == ([], 3)


def test_damage_does_not_get_a_manifest(study):
    first, second = (Path("results/runs") / run_id for run_id in study.runs)
    image = (first / "image.png").read_bytes()
    (first / "image.png").write_bytes(image[:-1] + b"!")
    with pytest.raises(InputError, match=r"image\.png is damaged: it is not the file that run\.json describes"):
        describe(study)
    (first / "image.png").unlink()
    with pytest.raises(InputError, match=r"image\.png: there is no such file"):
        describe(study)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    with pytest.raises(InputError, match="is the record of another run"):
        describe(study)
    (first / "run.json").write_text("{")
    with pytest.raises(InputError, match="is not a record of a run"):
        describe(study)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"manifest": 1}', '{"manifest": 1, "root": "..", "files": 7}'])
def test_what_is_no_manifest_is_told(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match="is not a manifest of a study"):
        manifest.load(tmp_path / "manifest.json")


def verify(*arguments):
    command = [*ENGINE, "verify", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_verify_as_a_command(study):
    described = describe(study)
    code, output = verify(MANIFEST)
    assert (code, output) == (0, f"{MANIFEST}: {len(described['files'])} files checked, 0 differ\n")
    Path(TABLES[0]).write_text("another")
    Path(NETWORK).unlink()
    code, output = verify(MANIFEST)
    assert code == 1
    assert output.splitlines()[0].startswith(f"{TABLES[0]}: 7 bytes, were ")
    assert output.splitlines()[1:] == [
        f"not here, not checked: {NETWORK}",
        f"{MANIFEST}: {len(described['files']) - 1} files checked, 1 differ",
        f"styletransfer verify {MANIFEST} --remove removes the files that differ; "
        "then the same snakemake command makes them again",
    ]
    code, output = verify("nowhere.json")
    assert (code, "there is no manifest" in output) == (2, True)


def test_what_differs_is_removed_and_nothing_else(study, tmp_path, monkeypatch):
    page = Path(FIGURES[-1])
    (page / ".snakemake_timestamp").touch()
    described = describe(study)
    names = {Path(name) for name in described["files"]}
    image, table = next(name for name in names if name.name == "image.png"), Path(TABLES[0])
    image.write_bytes(b"")
    table.unlink()
    (page / "index.html").write_text("another")
    code, output = verify(MANIFEST, "--remove")
    removed = {line.removeprefix("removed: ") for line in output.splitlines() if line.startswith("removed")}
    assert code == 0
    assert output.endswith("now the same snakemake command makes them again\n")
    assert {str(Path(name).resolve()) for name in removed} == {str(path.resolve()) for path in (image, table, page)}
    gone = {name for name in names if not name.exists()}
    assert gone == {image, table, *(name for name in names if name.is_relative_to(page))}
    # A manifest that came from elsewhere must not reach beyond the folder in which this is called.
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    code, output = verify(tmp_path / MANIFEST, "--remove")
    assert (code, "is not below" in output) == (2, True)
    assert [name for name in names if not (tmp_path / name).exists()] == [name for name in names if name in gone]


def git(folder, *arguments):
    name = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_revision_of_the_code(tmp_path, monkeypatch):
    module = tmp_path / "workflow/styletransfer/results/manifest.py"
    put(module, "")
    monkeypatch.setattr(manifest, "__file__", str(module))
    assert manifest.revision() is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "another project's")
    assert manifest.revision() is None
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "ours")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert manifest.revision() == {"revision": head, "modified": False}
    module.write_text("changed")
    assert manifest.revision() == {"revision": head, "modified": True}


def test_a_crate_holds_what_it_describes(study, tmp_path):
    described = describe(study)
    ro_crate.write(Path("crate.zip"), MANIFEST, ROOT)
    ro_crate.write(Path("again.zip"), MANIFEST, ROOT)
    assert Path("crate.zip").read_bytes() == Path("again.zip").read_bytes()
    with zipfile.ZipFile("crate.zip") as archive:
        archive.extractall("unpacked")
    entities = {one["@id"]: one for one in json.loads(Path("unpacked/ro-crate-metadata.json").read_text())["@graph"]}
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    named = {value["@id"] for one in entities.values() for value in references(one)}
    assert {name for name in named if name not in entities and not name.startswith("https://")} == set()
    described_files = {name.replace("%20", " ") for name, one in entities.items() if "File" in one["@type"]}
    packed = {path.relative_to("unpacked").as_posix() for path in Path("unpacked").rglob("*") if path.is_file()}
    assert packed == described_files | {"ro-crate-metadata.json"}
    assert {*described["files"], MANIFEST.as_posix(), "Snakefile"} - packed == {NETWORK}
    for name, one in entities.items():
        if "sha256" in one:
            assert checks.checksum(Path("unpacked") / name.replace("%20", " ")) == one["sha256"]
    within = {part["@id"] for one in entities.values() for part in one.get("hasPart", [])}
    assert {name for name, one in entities.items() if "File" in one["@type"]} <= within
    found = manifest.differences(Path("unpacked") / MANIFEST)
    assert (found.differences, found.absent) == ([], [NETWORK])


VALIDATOR = Path(sys.prefix) / "crate/bin/python"
# Workflow RO-Crate requires that the workflow is a file of the crate and source code, Process Run Crate 0.5 recommends
# that source code has an address in the web: no crate does both.
CONTRADICTORY = {
    ("process-run-crate-0.5_5.1", "http://schema.org/SoftwareSourceCode"),
    ("process-run-crate-0.5_5.1", "https://bioschemas.org/ComputationalWorkflow"),
}
# What is recommended and nobody said: agent of actions; author and publisher of the crate.
WITHOUT_AUTHOR = {"process-run-crate-0.5_8.6", "ro-crate-1.1_22.2", "ro-crate-1.1_22.3"}
AUTHOR = ro_crate.Author("Ada", "A Society", "https://example.org/")


@pytest.mark.skipif(not VALIDATOR.exists(), reason="no roc-validator: `make test` installs it")
def test_a_crate_is_valid(study, tmp_path):
    """By all that the profile Provenance Run Crate and those it builds on require and recommend."""
    describe(study)
    ro_crate.write(Path("crate.zip"), MANIFEST, ROOT, AUTHOR)
    ro_crate.write(Path("nobody's.zip"), MANIFEST, ROOT)
    command = [VALIDATOR, ROOT / "tests/helpers/validate_crate.py", "crate.zip", "nobody's.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    crate, nobodys = ({(check, entity) for check, entity, _ in issues} for issues in json.loads(done.stdout))
    assert crate == CONTRADICTORY
    assert {check for check, _ in nobodys - CONTRADICTORY} == WITHOUT_AUTHOR


def described_crate(study, author=None):
    describe(study)
    ro_crate.write(Path("crate.zip"), MANIFEST, ROOT, author)
    with zipfile.ZipFile("crate.zip") as archive:
        return {one["@id"]: one for one in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}


def test_a_crate_tells_of_each_run(study):
    """Its inputs, settings, device and times, as its record has them."""
    entities = described_crate(study, AUTHOR)
    for run_id, run in study.runs.items():
        made = Record.read(Path("results/runs") / run_id / "run.json")
        action = entities[f"#run-{run_id}"]
        assert (action["startTime"], action["endTime"]) == (made.start, made.end)
        assert entities[action["agent"]["@id"]]["name"] == "Ada"
        assert action["result"] == {"@id": f"results/runs/{run_id}/"}
        read = [entities[one["@id"]] for one in action["object"]]
        named = {one["@id"]: one for one in read}
        # One of the two pictures is at hand, as a file; of the other the checksum is known.
        assert checks.checksum(Path(INPUTS["photo"])) == named["resources/pictures/a%20photo.png"]["sha256"]
        assert named["#picture-5e"]["identifier"] == "sha256:5e"
        assert "#weights" in named
        shared = [entities[one["@id"]] for one in named["#shared-settings"]["value"]]
        settings = {one["name"]: one["value"] for one in [*read, *shared] if one["@type"] == "PropertyValue"}
        del settings["shared-settings"]
        as_text = {"style_scales": "1.0", "style_blend_weights": "1.0"}
        assert settings == {name: value for name, value in run.values().items() if value is not None} | as_text
        assert [one["name"] for one in read if one["@type"] == "PropertyValue"] == ["shared-settings", "style_weight"]
        device, software = (entities[one["@id"]] for one in action["environment"])
        assert device["value"] == "a CPU, 1 thread"
        assert software["value"] == f"python 3.11.{run.style_weight:g}, tensorflow 2.21.0"
    kinds = {name: one["additionalType"] for name, one in entities.items() if one["@type"] == "FormalParameter"}
    assert kinds["#input-style_weight"] == "Float"
    assert kinds["#input-pooling"] == "Text"
    assert kinds["#input-seed"] == "Integer"
    assert kinds["#input-content"] == "File"


def test_a_crate_grows_by_an_action_with_each_run():
    """Not by its settings: a crate of ten thousand runs is to be read."""

    def size(count):
        runs = [
            Settings(content=CONTENT, styles=(STYLE,), weights=WEIGHTS, style_weight=1 + number % 10, seed=number // 10)
            for number in range(count)
        ]
        records = {f"results/runs/{run.run_id}/": record(run) for run in runs}
        described = {
            "study": "s",
            "created": "2026-01-01",
            "began": "2026-01-01",
            "ended": "2026-01-01",
            "numerics": 1,
            "code": None,
            "versions": {"runs": {}, "tables": {}},
            "weights": {"name": "vgg16"},
            "files": {},
        }
        sources = ["README.md", "Snakefile", "workflow/styletransfer/cli/transfer.py"]
        return len(json.dumps(ro_crate.metadata(described, MANIFEST.as_posix(), [], sources, records)))

    few, many = size(10), size(1000)
    assert (many - few) / 990 < 1600


def references(value):
    if isinstance(value, dict) and set(value) == {"@id"}:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from references(inner)


def test_the_page_of_an_organization_is_an_address(study):
    describe(study)
    with pytest.raises(InputError, match=r"has the page 'example\.org': write it with its https://"):
        ro_crate.write(Path("crate.zip"), MANIFEST, ROOT, ro_crate.Author("Ada", "A Society", "example.org"))
    assert not Path("crate.zip").exists()


def test_damage_is_not_packed(study):
    describe(study)
    Path(TABLES[0]).write_text("another")
    with pytest.raises(InputError, match=r"1 differences, the first: results/studies/s/runs\.csv: 7 bytes"):
        ro_crate.write(Path("crate.zip"), MANIFEST, ROOT)
    assert not Path("crate.zip").exists()
