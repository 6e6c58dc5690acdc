"""Moves the jobs of a dead-letter queue back; see scripts/redrive."""

import json
import os
import sys

import boto3


def origin_of(sqs, stack: str, dead_arn: str) -> str | None:
    """The queue whose failed jobs end there."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{stack}-")
    for url in (url for page in pages for url in page.get("QueueUrls", [])):
        read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(read.get("Attributes", {}).get("RedrivePolicy", "{}"))
        if policy.get("deadLetterTargetArn") == dead_arn:
            return url
    return None


def carry(sqs, dead: str, origin: str, most: int) -> int:
    """One by one, since the emulator has no StartMessageMoveTask. Sent first, deleted then: what
    is interrupted comes twice and is not lost."""
    moved = 0
    while moved < most:
        got = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        if not got.get("Messages"):
            break
        for message in got["Messages"]:
            sqs.send_message(QueueUrl=origin, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main(stack: str, queue: str) -> str | None:
    sqs = boto3.client("sqs")
    dead = sqs.get_queue_url(QueueName=f"{stack}-{queue}")["QueueUrl"]
    names = ["QueueArn", "ApproximateNumberOfMessages"]
    attributes = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=names)["Attributes"]
    origin = origin_of(sqs, stack, attributes["QueueArn"])
    if origin is None:
        return f"redrive: {queue} is no dead-letter queue of {stack}"
    count = int(attributes["ApproximateNumberOfMessages"])
    if "AWS_ENDPOINT_URL" in os.environ:
        print(f"{carry(sqs, dead, origin, count)} jobs moved back")
    else:
        sqs.start_message_move_task(SourceArn=attributes["QueueArn"])
        print(f"about {count} jobs are being moved back")
    return None


sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else "redrive: one QUEUE, please")
