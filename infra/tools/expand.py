"""Expands templates as AWS does before it deploys them, and has cfn-lint judge the result.

Jobs come in as a JSON list, answers go out as one, in the same order. A job is
{"files": {path: text}, "parameters": {name: value}, "lint": true or false}, its answer
{"expanded": {path: template}, "complaints": [sentence]}. Python, because the libraries that expand
and lint are.
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
    "W2001",  # SAM puts the values of some parameters in the place of what refers to them.
    "W1030",  # What an optional parameter is by default, empty, is no ARN.
    "W3002",  # The address of a nested template is a path until it is packaged.
]


def main():
    # SAM speaks of features that are not switched on.
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
        except Exception as error:  # Whatever they raise is about the template.
            complaints.append(f"{path}: {error}")
        else:
            complaints += lint(path, expanded[path]) if job["lint"] else []
    return {"expanded": expanded, "complaints": complaints}


@functools.cache
def nested(text):
    """A nested template takes no parameters here, and most jobs have the same ones."""
    return expand(text, {})


def expand(text, parameters):
    template = yaml_parse(text)
    kind = template.get("Transform")
    if kind == SERVERLESS:
        check(template["Parameters"], parameters)
        # Code that is not built yet has to have an address all the same.
        template["Globals"]["Function"]["CodeUri"] = "s3://a-bucket/the-code.zip"
        return transform(template, values(template, parameters), NoManagedPolicies())
    if kind == LANGUAGE_EXTENSIONS:
        loops = Template("", template, [REGION])
        refused = loops.transform()
        if refused:
            raise ValueError(refused[0].message)
        return loops.template
    return template


def check(declared, given):
    for name, value in given.items():
        if name not in declared:
            raise ValueError(f"a value for {name}, which is no parameter")
        if value not in map(str, declared[name].get("AllowedValues", [value])):
            raise ValueError(f"{value} is not allowed for {name}")


def values(template, given):
    """Parameters as AWS hands them to SAM: those that are lists as lists."""
    found = {}
    for name, declaration in template["Parameters"].items():
        value = given.get(name, declaration.get("Default"))
        is_list = declaration["Type"] == "CommaDelimitedList"
        found[name] = value.split(",") if is_list else value
    return found


class NoManagedPolicies:
    """The template names managed policies by nothing but what SAM itself adds."""

    def load(self):
        return {}


def lint(path, template):
    config = {"regions": [REGION], "ignore_checks": UNHEEDED}
    for match in cfnlint.lint(json.dumps(template), config=config):
        place = "/".join(str(step) for step in match.path or [])
        yield f"{path}: cfn-lint {match.rule.id}: {match.message} ({place})"


if __name__ == "__main__":
    main()
