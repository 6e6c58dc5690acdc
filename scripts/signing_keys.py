"""The key that signs access tokens, and the public keys that verify them, as scripts see them."""

import base64
import hashlib
import hmac
import subprocess
from datetime import datetime, timezone

import boto3

ITEM = {"pk": {"S": "K#jwks"}, "sk": {"S": "K"}}
# As shared/transport/src/crypto/signing.rs derives the key.
KEY_PURPOSE = b"confab access token signing key v1"
# What RFC 8410 has before the 32 bytes of a private key.
PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_key(secret: str) -> tuple[str, str]:
    """The kid and the public half of the key that is derived from this secret."""
    extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
    seed = hmac.digest(extracted, KEY_PURPOSE + b"\x01", "sha256")
    command = ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"]
    ran = subprocess.run(command, input=PKCS8_PREFIX + seed, capture_output=True, check=True)
    x = base64url(ran.stdout[-32:])
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return base64url(hashlib.sha256(canonical.encode()).digest()), x


def current_key(stack: str) -> tuple[str, datetime]:
    """The kid of the key that signs, and since when it does."""
    found = boto3.client("secretsmanager").get_secret_value(SecretId=f"{stack}/signing")
    return public_key(found["SecretString"])[0], found["CreatedDate"]


def public_keys(stack: str) -> dict[str, datetime | None]:
    """Every kid, and when it is over; None where nobody has said so."""
    table = boto3.client("dynamodb")
    found = table.get_item(TableName=f"{stack}-live", Key=ITEM, ConsistentRead=True)
    item = found.get("Item", {})

    def end(kid: str) -> datetime | None:
        seconds = item.get(f"e#{kid}")
        return datetime.fromtimestamp(int(seconds["N"]), timezone.utc) if seconds else None

    return {name[2:]: end(name[2:]) for name in item if name.startswith("k#")}


def change_key(stack: str, expression: str, kid: str, **values: dict) -> None:
    """In the expression #key is the public key, and #end when it is over."""
    names = {"#key": f"k#{kid}", "#end": f"e#{kid}"}
    more = {"ExpressionAttributeNames": {n: names[n] for n in names if n in expression}}
    if values:
        more["ExpressionAttributeValues"] = {f":{name}": values[name] for name in values}
    table = boto3.client("dynamodb")
    table.update_item(TableName=f"{stack}-live", Key=ITEM, UpdateExpression=expression, **more)
