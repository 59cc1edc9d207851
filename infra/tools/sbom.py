"""Whether a software bill of materials is what CycloneDX 1.6 says, by the schema of its makers.

The job comes in as JSON: {"sbom": text}. The answer is {"complaint": sentence or null}. Python, because
the library with the schema is.
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main():
    job = json.load(sys.stdin)
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(job["sbom"])
    json.dump({"complaint": None if found is None else str(found)}, sys.stdout)


if __name__ == "__main__":
    main()
