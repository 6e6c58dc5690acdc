"""Rotates the key of access tokens; see scripts/rotate-keys."""

import os
import secrets
import sys
from datetime import datetime, timedelta, timezone

import boto3
from signing_keys import change_key, current_key, public_key, public_keys

SIGNERS = ("register-user", "login-user", "refresh-session")
# Processes that sign with the old key end within hours, and its tokens 15 minutes later.
OLD_KEY_LIFETIME = timedelta(days=1)
NOW = datetime.now(timezone.utc)


def rotate(stack: str) -> None:
    """Publishes first, and gives old keys an end last: what is interrupted harms nobody."""
    old, fresh = public_keys(stack), secrets.token_hex(32)
    kid, x = public_key(fresh)
    change_key(stack, "SET #key = :x", kid, x={"S": x})
    put = boto3.client("secretsmanager").put_secret_value
    put(SecretId=f"{stack}/signing", SecretString=fresh)
    until = str(int((NOW + OLD_KEY_LIFETIME).timestamp()))
    for other, end in old.items():
        if end is None:
            change_key(stack, "SET #end = :end", other, end={"N": until})
        elif end <= NOW:
            change_key(stack, "REMOVE #key, #end", other)
    print(f"what signs next uses the key {kid}")
    if "AWS_ENDPOINT_URL" in os.environ:
        print("start the system again, so that all do")
        return
    for name in SIGNERS:
        # Any change of its settings ends the processes that have the old key.
        since = f"signs with the key of {NOW:%Y-%m-%d %H:%M} UTC"
        change = boto3.client("lambda").update_function_configuration
        change(FunctionName=f"{stack}-{name}", Description=since)


def main(stack: str, *arguments: str) -> str | None:
    if not arguments:
        return rotate(stack)
    keys, (current, since) = public_keys(stack), current_key(stack)
    match arguments:
        case ("--list",):
            print(f"{current} signs since {since.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC")
            for kid, end in sorted(keys.items()):
                if kid != current and (end is None or end > NOW):
                    print(f"{kid} verifies" + (f" until {end:%Y-%m-%d %H:%M} UTC" if end else ""))
        case ("--retire", kid) if kid == current:
            return "rotate-keys: this key signs now: rotate first"
        case ("--retire", kid) if kid in keys:
            change_key(stack, "REMOVE #key, #end", kid)
            print("processes that know it forget it within a minute")
        case _:
            return "rotate-keys: no such option, or no such key: see --help and --list"


sys.exit(main(*sys.argv[1:]))
