"""Creates a bucket at an endpoint that emulates S3, or lists the objects uploaded to it.

The job is JSON on stdin: {"endpoint", "region", "bucket"} and one of {"what": "bucket"} and
{"what": "objects", "archives": [key], "texts": [key]}. The output is null, or {"archives": {key: {name of
a file: {"sha256", "executable"}}}, "texts": {key: text}}. Python, because SAM's own S3 client is in Python.
"""

import hashlib
import io
import json
import sys
import zipfile

import boto3


def main():
    job = json.load(sys.stdin)
    session = boto3.Session("test", "test", region_name=job["region"])
    s3 = session.client("s3", endpoint_url=job["endpoint"])
    answers = {"bucket": bucket, "objects": objects}
    json.dump(answers[job["what"]](s3, job), sys.stdout)


def bucket(s3, job):
    region = {"LocationConstraint": job["region"]}
    s3.create_bucket(Bucket=job["bucket"], CreateBucketConfiguration=region)


def objects(s3, job):
    def read(key):
        return s3.get_object(Bucket=job["bucket"], Key=key)["Body"].read()

    return {
        "archives": {key: files(read(key)) for key in job["archives"]},
        "texts": {key: read(key).decode() for key in job["texts"]},
    }


def files(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return {it.filename: file(packed, it) for it in packed.infolist()}


def file(packed, it):
    executable = it.external_attr >> 16 & 0o111 == 0o111
    return {"sha256": hashlib.sha256(packed.read(it)).hexdigest(), "executable": executable}


if __name__ == "__main__":
    main()
