"""The issues of each RO-Crate, as roc-validator finds them: JSON lists of [check, entity, message].

It runs in an environment of its own, `envs/requirements-crate.txt`, since roc-validator needs another rich than the
workflow. Nothing is fetched: what the two contexts of a crate say of its terms is below.
"""

import json
import sys

from rocrate_validator.models import Severity
from rocrate_validator.services import ValidationSettings, validate
from rocrate_validator.utils.http import HttpRequester

PROFILE = "provenance-run-crate-0.5"
CONTEXTS = ("https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context")
# Whatever else a crate says is no term, and an issue.
SCHEMA_ORG = (
    *("ComputerLanguage", "ControlAction", "CreateAction", "CreativeWork", "Dataset", "HowTo", "HowToStep"),
    *("OrganizeAction", "Organization", "Person", "PropertyValue", "SoftwareApplication", "SoftwareSourceCode"),
    *("WebPage", "about", "actionStatus", "additionalType", "affiliation", "agent", "author", "contentSize"),
    *("datePublished", "description", "encodingFormat", "endTime", "exampleOfWork", "hasPart", "identifier"),
    *("instrument", "license", "mainEntity", "mentions", "name", "object", "position", "programmingLanguage"),
    *("publisher", "result", "softwareVersion", "startTime", "step", "url", "value", "version", "workExample"),
)
TERMS = {
    **{term: f"http://schema.org/{term}" for term in SCHEMA_ORG},
    "File": "http://schema.org/MediaObject",
    "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo"},
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
    "environment": "https://w3id.org/ro/terms/workflow-run#environment",
    "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
}


class Answer:
    """A context, as the network gives it."""

    status_code = 200
    headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012

    def __init__(self, address):
        if address not in CONTEXTS:
            raise ValueError(f"{address} is asked for, which no crate needs")

    def json(self):
        return {"@context": TERMS}


HttpRequester.get = lambda _, address, **__: Answer(address)
settings = (
    ValidationSettings(
        rocrate_uri=crate, profile_identifier=PROFILE, requirement_severity=Severity.RECOMMENDED, no_cache=True
    )
    for crate in sys.argv[1:]
)
issues = [validate(one).get_issues() for one in settings]
print(json.dumps([[[one.check.identifier, one.violatingEntity, one.message] for one in found] for found in issues]))
