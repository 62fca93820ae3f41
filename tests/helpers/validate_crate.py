"""The issues of an RO-Crate, as roc-validator finds them: a JSON list of [check, entity, message].

It runs in an environment of its own, `envs/requirements-crate.txt`, since roc-validator needs another rich than the
workflow. Nothing is fetched: what the two contexts of a crate say of its terms is below.
"""

import json
import sys

from rocrate_validator.models import Severity
from rocrate_validator.services import ValidationSettings, validate
from rocrate_validator.utils.http import HttpRequester

PROFILE = "workflow-run-crate-0.5"
CONTEXTS = ("https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context")
# Whatever else a crate says is no term, and an issue.
SCHEMA_ORG = (
    *("ComputerLanguage", "CreateAction", "CreativeWork", "Dataset", "SoftwareSourceCode", "WebPage"),
    *("about", "contentSize", "datePublished", "description", "encodingFormat", "endTime", "hasPart", "identifier"),
    *("instrument", "license", "mainEntity", "mentions", "name", "object", "programmingLanguage", "result"),
    *("startTime", "url", "version"),
)
TERMS = {
    **{term: f"http://schema.org/{term}" for term in SCHEMA_ORG},
    "File": "http://schema.org/MediaObject",
    "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo"},
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
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
settings = ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier=PROFILE, requirement_severity=Severity.RECOMMENDED, no_cache=True
)
found = validate(settings).get_issues()
print(json.dumps([[issue.check.identifier, issue.violatingEntity, issue.message] for issue in found]))
