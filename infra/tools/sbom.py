"""Validates a software bill of materials by the official schema of CycloneDX 1.6.

The job is JSON on stdin: {"sbom": text}. The output is {"complaint": sentence or null}. Python, because
the library with the schema is in Python.
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
