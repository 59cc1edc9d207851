"""Deploys a template to an endpoint that emulates AWS, and prints the created resources.

The job is JSON on stdin: {"endpoint", "region", "stack", "template", "parameters": {name: value},
"programs": {logical id of a function: path of its binary}, "secrets": {logical id: value},
"rotations": {logical id of a secret: that of the function that rotates it}, "items": [[logical id of
a table, item]], "sender": mail address}. The output is {"api": id, "routes": [route key],
"resources": {logical id: type}, "mappings": count of enabled event source mappings}. Python, because the AWS
client for all these services is already installed there.
"""

import io
import json
import sys
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor

import boto3

BUCKET = "the-code"


def main():
    job = json.load(sys.stdin)
    session = boto3.Session("test", "test", region_name=job["region"])

    def client(service):
        return session.client(service, endpoint_url=job["endpoint"])

    upload(client("s3"), job["programs"], job["template"])
    client("sesv2").create_email_identity(EmailIdentity=job["sender"])
    resources = created(client("cloudformation"), job)
    names = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources}
    for secret, value in job["secrets"].items():
        client("secretsmanager").put_secret_value(SecretId=names[secret], SecretString=value)
    for secret, function in job["rotations"].items():
        rotate(client("lambda"), names[secret], names[function])
    tables = client("dynamodb")
    for table, item in job["items"]:
        tables.put_item(TableName=names[table], Item=item)
    # The emulator stores CloudFormation's CORS settings under names that it does not read.
    cors = job["template"]["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    client("apigatewayv2").update_api(ApiId=names["Api"], CorsConfiguration=cors)
    json.dump(seen(client, names, resources), sys.stdout)


def upload(s3, programs, template):
    region = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda it: upload_program(s3, *it), programs.items()))


def upload_program(s3, function, path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        bootstrap.compress_type = zipfile.ZIP_DEFLATED
        with open(path, "rb") as program:
            packed.writestr(bootstrap, program.read())
    s3.put_object(Bucket=BUCKET, Key=f"{function}.zip", Body=archive.getvalue())


def created(cloudformation, job):
    parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in job["parameters"].items()]
    cloudformation.create_stack(
        StackName=job["stack"],
        TemplateURL=f"{job['endpoint']}/{BUCKET}/template.json",
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=job["stack"], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    except Exception:
        for event in cloudformation.describe_stack_events(StackName=job["stack"])["StackEvents"]:
            if "FAILED" in event["ResourceStatus"]:
                reason = event.get("ResourceStatusReason")
                print(event["LogicalResourceId"], reason, file=sys.stderr)
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=job["stack"])
    return [it for page in pages for it in page["StackResourceSummaries"]]


def rotate(functions, secret, function):
    """Rotates a secret, as Secrets Manager does on its schedule."""
    version = str(uuid.uuid4())
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": version}
        answer = functions.invoke(FunctionName=function, Payload=json.dumps(event))
        if "FunctionError" in answer:
            raise RuntimeError(f"{step} of {secret}: {answer['Payload'].read().decode()}")


def seen(client, names, resources):
    api = names["Api"]
    routes = client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=api)
    mappings = client("lambda").get_paginator("list_event_source_mappings").paginate()
    mappings = [it for page in mappings for it in page["EventSourceMappings"]]
    return {
        "api": api,
        "routes": [it["RouteKey"] for page in routes for it in page["Items"]],
        "resources": {it["LogicalResourceId"]: it["ResourceType"] for it in resources},
        "mappings": sum(it["State"] == "Enabled" for it in mappings),
    }


if __name__ == "__main__":
    main()
