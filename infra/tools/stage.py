"""Reads a stage's account or outputs from AWS, or puts items into its tables.

The job is JSON on stdin: {"region"} and one of {"what": "account"}, {"what": "outputs", "stack"},
{"what": "items", "stack", "items": [[logical id of a table, item]]}. The output is the id of the account
of these credentials, the stack's outputs as {name: value}, or the count of items. Python, because the
AWS client for all these services is already installed there.
"""

import json
import sys

import boto3


def main():
    job = json.load(sys.stdin)
    session = boto3.Session(region_name=job["region"])
    answers = {"account": account, "outputs": outputs, "items": items}
    json.dump(answers[job["what"]](session, job), sys.stdout)


def account(session, _):
    return session.client("sts").get_caller_identity()["Account"]


def outputs(session, job):
    stacks = session.client("cloudformation").describe_stacks(StackName=job["stack"])["Stacks"]
    return {it["OutputKey"]: it["OutputValue"] for it in stacks[0].get("Outputs", [])}


def items(session, job):
    pages = session.client("cloudformation").get_paginator("list_stack_resources")
    listed = [it for page in pages.paginate(StackName=job["stack"]) for it in page["StackResourceSummaries"]]
    names = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in listed}
    tables = session.client("dynamodb")
    for table, item in job["items"]:
        tables.put_item(TableName=names[table], Item=item)
    return len(job["items"])


if __name__ == "__main__":
    main()
