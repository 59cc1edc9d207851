"""Expands templates as AWS does before a deployment, and lints the result with cfn-lint.

Jobs are a JSON list on stdin, results one on stdout, in the same order. A job is
{"files": {path: text}, "parameters": {name: value}, "lint": true or false}, its result
{"expanded": {path: template}, "complaints": [sentence]}. Python, because both libraries are in Python.
"""

import functools
import json
import logging
import multiprocessing
import sys

from cfnlint import api as cfnlint
from cfnlint.template import Template
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

SERVERLESS = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
REGION = "eu-west-1"
UNHEEDED = [
    "W2001",  # SAM replaces references to some parameters by their values.
    "W1030",  # The empty default of an optional parameter is no ARN.
    "W3002",  # The address of a nested template is a path until it is packaged.
]


def main():
    # SAM logs features that are not switched on.
    logging.disable(logging.WARNING)
    jobs = json.load(sys.stdin)
    with multiprocessing.Pool() as pool:
        json.dump(pool.map(answer, jobs, chunksize=1), sys.stdout)


def answer(job):
    expanded, complaints = {}, []
    for path, text in job["files"].items():
        try:
            main = SERVERLESS in text
            expanded[path] = expand(text, job["parameters"]) if main else nested(text)
        except InvalidDocumentException as error:
            causes = [cause.message for cause in error.causes]
            complaints += [f"{path}: {message}" for message in [error.message, *causes]]
        except Exception as error:  # Every exception of the libraries is about the template.
            complaints.append(f"{path}: {error}")
        else:
            complaints += lint(path, json.dumps(expanded[path])) if job["lint"] else []
    return {"expanded": expanded, "complaints": complaints}


@functools.cache
def nested(text):
    """Cached, since a nested template takes no parameters here, and most jobs have the same ones."""
    return expand(text, {})


def expand(text, parameters):
    template = parsed(text)
    kind = template.get("Transform")
    if kind == SERVERLESS:
        check(template["Parameters"], parameters)
        # SAM requires an address of the code, even before it is built.
        template["Globals"]["Function"]["CodeUri"] = "s3://a-bucket/the-code.zip"
        return transform(template, values(template, parameters), NoManagedPolicies())
    if kind == LANGUAGE_EXTENSIONS:
        loops = Template("", template, [REGION])
        refused = loops.transform()
        if refused:
            raise ValueError(refused[0].message)
        return loops.template
    return template


def parsed(text):
    """A stamped template is JSON, which the parser of YAML takes a hundred times as long to read."""
    return json.loads(text) if text.startswith("{") else yaml_parse(text)


def check(declared, given):
    for name, value in given.items():
        if name not in declared:
            raise ValueError(f"a value for {name}, which is no parameter")
        if value not in map(str, declared[name].get("AllowedValues", [value])):
            raise ValueError(f"{value} is not allowed for {name}")


def values(template, given):
    """Parameters as AWS passes them to SAM: comma-delimited values as lists."""
    found = {}
    for name, declaration in template["Parameters"].items():
        value = given.get(name, declaration.get("Default"))
        is_list = declaration["Type"] == "CommaDelimitedList"
        found[name] = value.split(",") if is_list else value
    return found


class NoManagedPolicies:
    """No managed policies: the template uses only the ones that SAM adds."""

    def load(self):
        return {}


@functools.cache
def lint(path, text):
    """Cached, since a seeded mistake is in one of the templates, and the other ones are linted before."""
    config = {"regions": [REGION], "ignore_checks": UNHEEDED}
    matches = cfnlint.lint(text, config=config)
    return [f"{path}: cfn-lint {match.rule.id}: {match.message} ({place(match)})" for match in matches]


def place(match):
    return "/".join(str(step) for step in match.path or [])


if __name__ == "__main__":
    main()
