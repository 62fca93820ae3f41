"""What was run for a study, in its crate: steps, tools, and an action for each run.

It follows the profile Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5). The action of a run says
which pictures it read, with which settings, on which device, from when to when. What runs share is one entity that all
of them name: so a crate grows by an action with each run, not by thirty settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from styletransfer.results.manifest import pictures_read
from styletransfer.runs.record import Record
from styletransfer.settings import PARAMETERS

STUDY = "#study"
WEIGHTS = "#weights"
SHARED = "#shared-settings"
ENGINE = "https://snakemake.github.io"
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
COMPLETED = "http://schema.org/CompletedActionStatus"
TRANSFER, TABLES, FIGURES = (f"workflow/styletransfer/cli/{name}.py" for name in ("transfer", "results", "draw"))
# What a file of the workflow is the command line of, in the order of steps: its name, and what it does.
TOOLS = {
    TRANSFER: ("transfer", "Style transfers, one for each run of the study"),
    TABLES: ("tables", "Pictures are measured, and runs gathered into tables"),
    FIGURES: ("figures", "Figures are drawn, and the pages of the study written"),
}
ROLES = {"content": "The content picture", "style": "A style picture", "initial": "The picture that a run starts from"}
TYPES = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}
ANY_TYPE = "PropertyValue"


class Graph(dict[str, dict[str, Any]]):
    """The entities of a crate by their @id. One that is added again is there once."""

    def add(self, identifier: str, kind: str | list[str], /, **properties: Any) -> str:
        """Add an entity with those of the properties that are known. Returns its @id."""
        known = {name: value for name, value in properties.items() if value not in (None, "", [])}
        self.setdefault(identifier, {"@id": identifier, "@type": kind, **known})
        return identifier

    def link(self, identifier: str, name: str, other: str) -> None:
        """Let a property of an entity name another one as well."""
        found = self[identifier].setdefault(name, [])
        if ref(other) not in found:
            found.append(ref(other))

    def entities(self) -> list[dict[str, Any]]:
        """All of them. By RO-Crate 1.1 a list of one is written as that one."""
        return [{name: _single(value) for name, value in entity.items()} for entity in self.values()]


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def ref(identifier: str) -> dict[str, str]:
    """How an entity is named by another."""
    return {"@id": identifier}


def refs(identifiers: Iterable[str]) -> list[dict[str, str]]:
    """How entities are named by another."""
    return list(map(ref, identifiers))


def add_actions(
    graph: Graph,
    runs: Mapping[str, Record],
    pictures: Mapping[str, str],
    tables: Sequence[str],
    figures: Sequence[str],
    created: str,
    agent: dict[str, str] | None,
) -> dict[str, list[str]]:
    """Add an action for each run, one for all tables, and one for all figures.

    Args:
        graph: It has all files, the folder of each run, and the weights.
        runs: Records by the @ids of folders.
        pictures: The @ids of prepared pictures by their SHA-256. One that is gone is named by it.
        tables: Their @ids.
        figures: Their @ids.
        created: When all of it was there.
        agent: Who ran the study, if that is known.

    Returns:
        The @ids of actions by that of their tool, in the order of steps.
    """
    results = {TABLES: (list(runs), tables), FIGURES: (tables, figures)}
    actions = {TRANSFER: _runs(graph, runs, pictures, agent)}
    for tool, (made_from, made) in results.items():
        name, description = TOOLS[tool]
        action = graph.add(
            f"#{name}",
            "CreateAction",
            name=f"The {name} of the study",
            description=description,
            instrument=ref(tool),
            object=refs(made_from),
            result=refs(made),
            actionStatus=COMPLETED,
            endTime=created,
            agent=agent,
        )
        actions[tool] = [action]
    return actions


def add_steps(graph: Graph, workflow: str, actions: Mapping[str, Sequence[str]], **when_and_who: Any) -> None:
    """Add the steps of the workflow, and that Snakemake let them follow each other.

    Args:
        graph: It has the workflow, the action of the study, and those of steps.
        workflow: Its @id.
        actions: Of each step, by the @id of its tool.
        when_and_who: Times and agent of it all.
    """
    controls = []
    for position, (tool, of_step) in enumerate(actions.items(), start=1):
        name, description = TOOLS[tool]
        step = graph.add(f"#step-{name}", "HowToStep", name=description, position=str(position), workExample=ref(tool))
        graph.link(workflow, "hasPart", tool)
        graph.link(workflow, "step", step)
        title = f"Snakemake's jobs of the step {name}"
        controls.append(
            graph.add(f"#jobs-{name}", "ControlAction", name=title, instrument=ref(step), object=refs(of_step))
        )
    graph.add(
        "#snakemake-run",
        "OrganizeAction",
        name="What Snakemake did for the study",
        instrument=ref(ENGINE),
        object=refs(controls),
        result=ref(STUDY),
        **when_and_who,
    )


def _runs(
    graph: Graph, runs: Mapping[str, Record], pictures: Mapping[str, str], agent: dict[str, str] | None
) -> list[str]:
    output = _parameter(graph, "output", "run", "Dataset", "The picture, the losses and the record of a run")
    settings = [_settings(graph, record) for record in runs.values()]
    shared = set.intersection(*map(set, settings))
    parameter = _parameter(graph, "input", "shared-settings", ANY_TYPE, "The settings that all runs share")
    in_order = refs(one for one in settings[0] if one in shared)
    graph.add(SHARED, "PropertyValue", name="shared-settings", value=in_order, exampleOfWork=ref(parameter))
    actions = []
    for (folder, record), of_run in zip(runs.items(), settings, strict=True):
        graph.link(folder, "exampleOfWork", output)
        varied = [one for one in of_run if one not in shared]
        read = [_picture(graph, pictures, *picture) for picture in pictures_read(record)]
        action = graph.add(
            f"#run-{quote(record.run_id)}",
            "CreateAction",
            name=f"Run {record.run_id}",
            description=f"A style transfer of {record.iterations_done} steps, which ended as {record.status}",
            instrument=ref(TRANSFER),
            object=refs(dict.fromkeys([*read, WEIGHTS, SHARED, *varied])),
            environment=refs(_environment(graph, record)),
            result=ref(folder),
            actionStatus=COMPLETED,
            startTime=record.start,
            endTime=record.end,
            agent=agent,
        )
        actions.append(action)
    return actions


def _settings(graph: Graph, record: Record) -> list[str]:
    """The @ids of a run's settings, in order. One that is not set has none."""
    found = {name: value for name, value in record.settings.items() if value is not None}
    helps = {name: PARAMETERS[name].metadata["help"] if name in PARAMETERS else name for name in found}
    return [_value(graph, "input", name, value, helps[name]) for name, value in found.items()]


def _environment(graph: Graph, record: Record) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items()))
    return [
        _value(graph, "environment", "device", ", then ".join(record.computed_on), "What a run was computed on"),
        _value(graph, "environment", "software", versions, "The versions that a run was computed with"),
    ]


def _picture(graph: Graph, pictures: Mapping[str, str], role: str, name: str, checksum: str) -> str:
    if checksum not in pictures:
        return graph.add(f"#picture-{checksum}", "CreativeWork", name=name, identifier=f"sha256:{checksum}")
    graph.link(pictures[checksum], "exampleOfWork", _parameter(graph, "input", role, "File", ROLES[role]))
    return pictures[checksum]


def _value(graph: Graph, kind: str, name: str, value: Any, description: str) -> str:
    """A value of a parameter."""
    # A list in JSON-LD has no order; in a text it has one.
    value = " ".join(map(str, value)) if isinstance(value, list) else value
    identifier = f"#{name}={quote(str(value), safe='')}"
    if identifier not in graph:
        parameter = _parameter(graph, kind, name, TYPES.get(type(value), ANY_TYPE), description)
        graph.add(identifier, "PropertyValue", name=name, value=value, exampleOfWork=ref(parameter))
    return identifier


def _parameter(graph: Graph, kind: str, name: str, value_type: str, description: str) -> str:
    """What the tool of runs takes or gives. kind: `input`, `output` or `environment`."""
    parameter = graph.add(
        f"#{kind}-{name}",
        "FormalParameter",
        name=name,
        additionalType=value_type,
        description=description,
        conformsTo=ref(FORMAL_PARAMETER),
    )
    if graph[parameter]["additionalType"] != value_type:
        graph[parameter]["additionalType"] = ANY_TYPE
    graph.link(TRANSFER, kind, parameter)
    return parameter
