"""A bucket as an app has it: boto3 with what the environment says, through the router, in a dyno that trusts it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import urllib.request

from tests.e2e.platform import Platform

APP = {
    "app.py": """
import json
import os

import boto3

BUCKET = os.environ["BUCKETEER_BUCKET_NAME"]
client = boto3.client(
    "s3",
    aws_access_key_id=os.environ["BUCKETEER_AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["BUCKETEER_AWS_SECRET_ACCESS_KEY"],
    region_name=os.environ["BUCKETEER_AWS_REGION"],
)


def application(environ, start_response):
    count = len(client.list_objects_v2(Bucket=BUCKET).get("Contents", []))
    client.put_object(Bucket=BUCKET, Key=f"public/{count} ü.txt", Body=b"hello", ContentType="text/x-mine")
    found = client.get_object(Bucket=BUCKET, Key="public/0 ü.txt")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "public/0 ü.txt"})
    facts = {"count": count, "body": found["Body"].read().decode(), "type": found["ContentType"], "url": url}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(facts).encode()]
""",
    "Procfile": "web: gunicorn app\n",
    "requirements.txt": "boto3\ngunicorn\n",
    ".python-version": f"{sys.version_info.major}.{sys.version_info.minor}\n",
}


def test_an_app_keeps_files_in_a_bucket_whose_server_is_killed(platform: Platform, name: str) -> None:
    project = platform.project(name, APP)
    platform.heroku("create", name, cwd=project).ok()
    assert "BUCKETEER_BUCKET_NAME" in platform.heroku("addons:create", "bucketeer", cwd=project).ok().both
    platform.git(project, "push", "heroku", "main").ok()
    platform.eventually(lambda: platform.get(name)[0] == 200, what="the app")
    facts = json.loads(platform.get(name)[1])
    assert (facts["body"], facts["type"]) == ("hello", "text/x-mine")
    trust = ssl.create_default_context(cafile=str(platform.home / "tls" / "ca.pem"))
    for url in (facts["url"], facts["url"].partition("?")[0]):
        with urllib.request.urlopen(url, context=trust) as answer:
            assert (answer.read(), answer.headers["content-type"]) == (b"hello", "text/x-mine")
            assert answer.headers["content-security-policy"] == "sandbox"

    pid = int((platform.home / "run" / "servers" / "buckets.pid").read_text().splitlines()[1].split()[0])
    os.kill(pid, signal.SIGKILL)
    platform.eventually(lambda: platform.get(name)[0] == 200, what="the bucket, served again")
    assert json.loads(platform.get(name)[1])["count"] > facts["count"], "objects were forgotten"

    (shown,) = json.loads(platform.homeport("buckets", "-a", name, "--json").ok().out)
    assert shown["objects"] == shown["public"]["objects"] > facts["count"]
    assert facts["url"].startswith(shown["public"]["url"])

    other = f"{name}-o"
    platform.heroku("create", other, "--no-remote").ok()
    addon = json.loads(platform.heroku("addons", "-a", name, "--json").ok().out)[0]["name"]
    platform.heroku("addons:attach", addon, "-a", other).ok()
    bucket = platform.heroku("config:get", "BUCKETEER_BUCKET_NAME", "-a", other).ok().out
    assert bucket == platform.heroku("config:get", "BUCKETEER_BUCKET_NAME", "-a", name).ok().out
    platform.heroku("addons:create", "bucketeer", "--as", "MEDIA", "-a", other).ok()
    config = json.loads(platform.heroku("config", "-a", other, "--json").ok().out)
    assert config["MEDIA_BUCKET_NAME"] != bucket.strip()
    assert config["AWS_ENDPOINT_URL_S3"] == config["MEDIA_AWS_ENDPOINT_URL"]
    assert platform.heroku("addons:destroy", addon, "--confirm", name, "-a", name).code != 0, "another app uses it"
    platform.heroku("addons:detach", "BUCKETEER", "-a", other).ok()
    platform.heroku("addons:destroy", addon, "--confirm", name, "-a", name).ok()
    assert "BUCKETEER" not in platform.heroku("config", "-a", name).ok().out
