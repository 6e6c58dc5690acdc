"""Translates template.yaml as AWS would, and fails when the stack grows too large.

CloudFormation takes 500 resources a stack; 400 leaves room for one more feature (docs/decisions).
Usage: check-template.py template.yaml
"""

import sys

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

MAX_RESOURCES = 400
PLACEHOLDERS = {
    "SubnetIds": "subnet-0,subnet-1",
    "SecurityGroupId": "sg-0",
    "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:database",
}


def main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    # The packaging step replaces local paths by addresses in S3; the translator wants those.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://packages/function.zip"
    # The template names no policy of AWS, so the first argument has nothing to look up.
    session = Session(region_name="us-east-1")
    translator = Translator({}, Parser(), boto_session=session)
    try:
        translated = translator.translate(template, PLACEHOLDERS, {})
    except InvalidDocumentException as error:
        for cause in error.causes:
            print(f"{path}: {cause.message}", file=sys.stderr)
        return 1
    count = len(translated["Resources"])
    print(f"{path}: {count} resources after translation (at most {MAX_RESOURCES - 1})")
    return 0 if count < MAX_RESOURCES else 1


sys.exit(main(sys.argv[1]))
