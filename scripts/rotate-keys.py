"""Rotates the key of access tokens; see scripts/rotate-keys."""

import os
import secrets
import string
import sys
from datetime import datetime, timezone

import boto3

SIGNERS = ("register-user", "login-user", "refresh-session")
SECRET_CHARACTERS = 64
KEYS = {"pk": {"S": "K#jwks"}, "sk": {"S": "K"}}


def rotate(stack: str) -> None:
    letters = string.ascii_letters + string.digits
    fresh = "".join(secrets.choice(letters) for _ in range(SECRET_CHARACTERS))
    boto3.client("secretsmanager").put_secret_value(
        SecretId=f"{stack}/signing", SecretString=fresh
    )
    print("the next process that signs uses a new key")
    if "AWS_ENDPOINT_URL" in os.environ:
        print("start the system again, so that all do")
        return
    functions = boto3.client("lambda")
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    for name in SIGNERS:
        # Any change of its settings ends the processes that have the old key.
        functions.update_function_configuration(
            FunctionName=f"{stack}-{name}", Description=f"signs with the key of {now}"
        )
        print(f"{name} starts anew")


def main(stack: str, *arguments: str) -> int:
    table = {"TableName": f"{stack}-live", "Key": KEYS}
    match arguments:
        case ():
            rotate(stack)
        case ("--list",):
            found = boto3.client("dynamodb").get_item(**table, ConsistentRead=True)
            names = (name for name in found.get("Item", {}) if name.startswith("k#"))
            print("\n".join(sorted(name.removeprefix("k#") for name in names)))
        case ("--retire", kid):
            names = {"#key": f"k#{kid}"}
            boto3.client("dynamodb").update_item(
                **table, UpdateExpression="REMOVE #key", ExpressionAttributeNames=names
            )
            print("processes that know it forget it within a minute")
        case _:
            print("rotate-keys: [--list | --retire KID]", file=sys.stderr)
            return 2
    return 0


sys.exit(main(*sys.argv[1:]))
