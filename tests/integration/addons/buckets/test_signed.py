"""URLs and forms that somebody else may use, and what browsers ask before they do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.addons.buckets.ground import Tenant, fetch, refused

pytestmark = pytest.mark.slow

VERSIONS = pytest.mark.parametrize("version", [None, "s3", "s3v4"])
"""None is boto3's default, which for us-east-1 is Version 2 still."""


@VERSIONS
def test_signed_urls(tenant: Tenant, version: str | None) -> None:
    with tenant.client(signature_version=version) as client:

        def url(operation: str, **more: Any) -> str:
            return str(client.generate_presigned_url(operation, Params={"Bucket": tenant.bucket, "Key": "a b", **more}))

        address = url("put_object", ContentType="text/p", Metadata={"who": "me"})
        headers = {"Content-Type": "text/p", "x-amz-meta-who": "me"}
        assert httpx.put(address, content=b"hello", headers=headers).status_code == 200
        assert httpx.put(address, content=b"x", headers={**headers, "Content-Type": "text/x"}).status_code == 403
        assert httpx.put(address, content=b"x", headers={**headers, "x-amz-meta-who": "you"}).status_code == 403
        assert httpx.put(address, content=b"x", headers={**headers, "x-amz-acl": "private"}).status_code == 403
        assert httpx.put(f"{address}&x-amz-meta-who=you", content=b"x", headers=headers).status_code in (400, 403)
        found = httpx.get(url("get_object"))
        assert (found.content, found.headers["content-type"], found.headers["x-amz-meta-who"]) == (
            b"hello",
            "text/p",
            "me",
        )
        assert httpx.head(url("head_object")).status_code == 200
        for spoilt in (url("get_object").replace("a%20b", "a%20c"), url("get_object")[:-1] + "x"):
            assert httpx.get(spoilt).status_code == 403
        assert httpx.delete(url("get_object")).status_code == 403
        assert httpx.delete(url("delete_object")).status_code == 204
        late = client.generate_presigned_url("get_object", Params={"Bucket": tenant.bucket, "Key": "a"}, ExpiresIn=-1)
        assert fetch(late)[0] in (400, 403)


@VERSIONS
def test_signed_forms(tenant: Tenant, version: str | None) -> None:
    with tenant.client(signature_version=version) as client:
        form = client.generate_presigned_post(
            tenant.bucket,
            "up/${filename}",
            Fields={"Content-Type": "image/png", "x-amz-meta-who": "me", "success_action_status": "201"},
            Conditions=[
                ["content-length-range", 2, 100_000],
                ["starts-with", "$Content-Type", "image/"],
                {"x-amz-meta-who": "me"},
                {"success_action_status": "201"},
                ["starts-with", "$key", "up/"],
            ],
        )

    def post(content: bytes, **changes: str) -> httpx.Response:
        return httpx.post(form["url"], data={**form["fields"], **changes}, files={"file": ("f ü.png", content)})

    done = post(b"image")
    assert (done.status_code, "<Key>up/f ü.png</Key>" in done.text) == (201, True)
    with tenant.client() as client:
        found = client.head_object(Bucket=tenant.bucket, Key="up/f ü.png")
        assert (found["ContentType"], found["Metadata"]) == ("image/png", {"who": "me"})
    assert post(b"x" * 100_001).status_code == 400
    assert post(b"x").status_code == 400
    assert post(b"image", key="elsewhere").status_code == 403
    assert post(b"image", **{"Content-Type": "text/html"}).status_code == 403
    assert post(b"image", **{"x-amz-meta-more": "x"}).status_code == 403
    assert post(b"image", **{"x-amz-signature" if version == "s3v4" else "signature": "0" * 28}).status_code == 403
    assert post(b"image", policy="e30=").status_code == 403
    with tenant.client(signature_version=version) as client:
        tagged = client.generate_presigned_post(
            tenant.bucket, "k", Fields={"tagging": "x"}, Conditions=[{"tagging": "x"}]
        )
    assert httpx.post(tagged["url"], data=tagged["fields"], files={"file": ("f", b"x")}).status_code == 501
    assert httpx.post(form["url"], data={"key": "up/a"}, files={"file": ("f", b"x")}).status_code == 403
    assert httpx.post(form["url"], content=b"no form").status_code == 400
    assert tenant.content("up/f ü.png") == b"image"
    assert tenant.keys() == ["up/f ü.png"]
    large = b"x" * 99_000
    assert post(large, **{"Content-Type": "image/gif"}).status_code == 201
    assert tenant.content("up/f ü.png") == large


def test_a_form_may_lead_on(tenant: Tenant) -> None:
    target = "https://app.example/done?a=1"
    with tenant.client() as client:
        fields = {"success_action_redirect": target}
        form = client.generate_presigned_post(tenant.bucket, "k", Fields=fields, Conditions=[fields])
    done = httpx.post(form["url"], data=form["fields"], files={"file": ("f", b"")})
    assert done.status_code == 303
    assert done.headers["location"].startswith(f"{target}&bucket={tenant.bucket}&key=k&etag=")


RULES = {
    "CORSRules": [
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
        {
            "ID": "uploads",
            "AllowedMethods": ["PUT", "POST"],
            "AllowedOrigins": ["https://*.example.com"],
            "AllowedHeaders": ["content-*", "x-amz-meta-who"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 60,
        },
    ]
}


def test_cors_rules_come_back_as_they_were_put(tenant: Tenant) -> None:
    with tenant.client() as client:
        with refused("NoSuchCORSConfiguration", 404):
            client.get_bucket_cors(Bucket=tenant.bucket)
        client.put_bucket_cors(Bucket=tenant.bucket, CORSConfiguration=RULES)
        assert client.get_bucket_cors(Bucket=tenant.bucket)["CORSRules"] == RULES["CORSRules"]
        with refused("InvalidRequest", 400):
            rules = {"CORSRules": [{"AllowedMethods": ["TRACE"], "AllowedOrigins": ["*"]}]}
            client.put_bucket_cors(Bucket=tenant.bucket, CORSConfiguration=rules)
        assert client.get_bucket_cors(Bucket=tenant.bucket)["CORSRules"] == RULES["CORSRules"]
        client.delete_bucket_cors(Bucket=tenant.bucket)
        with refused("NoSuchCORSConfiguration", 404):
            client.get_bucket_cors(Bucket=tenant.bucket)


def test_browsers_are_told_what_the_rules_allow(tenant: Tenant) -> None:
    with tenant.client() as client:
        client.put_bucket_cors(Bucket=tenant.bucket, CORSConfiguration=RULES)

    def ask(origin: str, method: str, headers: str = "") -> httpx.Response:
        asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
        return httpx.options(f"{tenant.url}/a", headers={name: value for name, value in asked.items() if value})

    allowed = ask("https://a.example.com", "PUT", "Content-Type, x-amz-meta-who")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://a.example.com"
    assert allowed.headers["access-control-allow-methods"] == "PUT, POST"
    assert allowed.headers["access-control-allow-headers"] == "content-type, x-amz-meta-who"
    assert allowed.headers["access-control-max-age"] == "60"
    assert ask("https://b.example.org", "GET").headers["access-control-allow-origin"] == "*"
    assert ask("https://b.example.org", "PUT").status_code == 403
    assert ask("https://a.example.com", "PUT", "authorization").status_code == 403
    assert ask("https://a.example.com", "DELETE").status_code == 403
    tenant.put("public/a", b"x")
    actual = httpx.get(f"{tenant.url}/public/a", headers={"Origin": "https://c.example"})
    assert actual.headers["access-control-allow-origin"] == "*"
    missing = httpx.get(f"{tenant.url}/public/none", headers={"Origin": "https://c.example"})
    assert (missing.status_code, missing.headers["access-control-allow-origin"]) == (404, "*")
    assert "access-control-allow-origin" not in httpx.get(f"{tenant.url}/public/a").headers
