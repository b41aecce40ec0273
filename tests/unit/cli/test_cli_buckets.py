"""`homeport buckets`, as terminal sessions."""

from __future__ import annotations

import json
import shlex
from typing import Any

from tests.unit.cli.cli_session import Session, Shown


def addon(name: str, service: str = "bucketeer", state: str = "provisioned") -> dict[str, Any]:
    return {
        "addon_service": {"name": service},
        "app": {"name": "demo"},
        "id": f"id-of-{name}",
        "name": name,
        "state": state,
    }


FACTS = {
    "bucket_name": "bucketeer-1",
    "endpoint": "https://localhost:8443/s3",
    "info": [{"name": "Plan", "values": ["Hobbyist"]}, {"name": "Objects", "values": ["1,234"]}],
    "name": "files",
    "region": "us-east-1",
}
ANSWERS = {
    "GET /apps/demo/addons": [addon("files"), addon("store", "heroku-redis"), addon("soon", state="provisioning")],
    "GET /apps/demo/addon-attachments": [
        {"name": "BUCKETEER", "addon": {"id": "id-of-files"}},
        {"name": "MEDIA", "addon": {"id": "id-of-files"}},
        {"name": "REDIS", "addon": {"id": "id-of-store"}},
    ],
    "GET /buckets/v0/buckets/id-of-files": FACTS,
}


def test_a_bucket_is_shown_with_lines_that_reach_it() -> None:
    assert Session(ANSWERS).type("buckets -a demo") == Shown(
        0,
        "=== files (BUCKETEER, MEDIA)\n\n"
        "Plan:    Hobbyist\n"
        "Objects: 1,234\n\n"
        "To reach it with the AWS CLI or rclone:\n\n"
        '  export AWS_ACCESS_KEY_ID="$(homeport config:get BUCKETEER_AWS_ACCESS_KEY_ID -a demo)" '
        'AWS_SECRET_ACCESS_KEY="$(homeport config:get BUCKETEER_AWS_SECRET_ACCESS_KEY -a demo)"\n'
        "  aws s3 ls s3://bucketeer-1 --recursive --endpoint-url https://localhost:8443/s3 --region us-east-1\n"
        "  rclone ls ':s3,provider=Other,env_auth=true,region=us-east-1,"
        'endpoint="https://localhost:8443/s3":bucketeer-1\'\n\n',
    )


def test_scripts_get_all_of_it() -> None:
    (facts,) = json.loads(Session(ANSWERS).type("buckets:info -a demo --json").out)
    assert facts["bucket_name"] == "bucketeer-1"
    assert facts["attachments"] == ["BUCKETEER", "MEDIA"]
    assert set(facts["commands"]) == {"keys", "aws", "rclone"}


def test_the_lines_are_words_for_a_shell_whatever_the_names_are() -> None:
    odd = {**FACTS, "bucket_name": "a b;c", "endpoint": "https://x.example/$(id)"}
    session = Session({**ANSWERS, "GET /buckets/v0/buckets/id-of-files": odd})
    (facts,) = json.loads(session.type("buckets -a demo --json").out)
    words = shlex.split(facts["commands"]["aws"], posix=True)
    assert words[3:7] == ["s3://a b;c", "--recursive", "--endpoint-url", "https://x.example/$(id)"]
    assert "'https://x.example/$(id)'" in facts["commands"]["aws"], "a shell must not carry it out"
    remote = ':s3,provider=Other,env_auth=true,region=us-east-1,endpoint="https://x.example/$(id)":a b;c'
    assert facts["commands"]["rclone"] == f"rclone ls '{remote}'"


def test_one_is_named_by_what_the_app_calls_it() -> None:
    session = Session({**ANSWERS, "POST /actions/addons/resolve": [addon("files")]})
    assert session.type("buckets:info MEDIA -a demo").out.startswith("=== files (BUCKETEER, MEDIA)\n")
    asked = 'POST /actions/addons/resolve {"addon": "MEDIA", "app": "demo", "addon_service": "bucketeer"}'
    assert asked in session.requests


def test_an_app_without_buckets_is_told_how_to_have_one() -> None:
    session = Session({"GET /apps/demo/addons": [], "GET /apps/demo/addon-attachments": []})
    assert session.type("buckets -a demo") == Shown(
        0, "No buckets on demo. Create one: homeport addons:create bucketeer -a demo\n"
    )
    assert session.type("buckets -a demo --json") == Shown(0, "[]\n")
    assert session.type("buckets nothing -a demo").code == 2
