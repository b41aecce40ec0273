import pytest

from wordcount.fetching import CannotFetch, Limits, fetch, is_public, read

AT_HOME = Limits(seconds=20, bytes=100_000, private_addresses=True)
IN_PRODUCTION = Limits(seconds=20, bytes=100_000, private_addresses=False)


def test_a_page_is_read_as_a_person_would(site):
    page = fetch(site, AT_HOME)
    assert (page.title, page.text) == ("Tea", "Tea, tea & café!")


def test_redirects_are_followed_and_encodings_understood(site):
    assert fetch(f"{site}/away", AT_HOME).title == "Tea"
    assert fetch(f"{site}/latin", AT_HOME).text == "café"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/nowhere", "status 404"),
        ("/picture", "image/png"),
        ("/round", "without end"),
        ("/file", "not the address of a web page"),
    ],
)
def test_what_cannot_be_read_is_said(site, path, why):
    with pytest.raises(CannotFetch, match=why):
        fetch(site + path, AT_HOME)


def test_a_page_that_is_too_large_is_given_up(site):
    with pytest.raises(CannotFetch, match="larger than 1 KB"):
        fetch(f"{site}/large", Limits(seconds=20, bytes=1024, private_addresses=True))


def test_a_page_that_takes_too_long_is_given_up(site):
    with pytest.raises(CannotFetch, match="too long"):
        fetch(f"{site}/slow", Limits(seconds=0.3, bytes=1024, private_addresses=True))


def test_nobody_gets_us_to_knock_on_inner_doors(site):
    for url in (site, site.replace("127.0.0.1", "localhost"), "http://[::1]:80/", "http://169.254.169.254/latest/"):
        with pytest.raises(CannotFetch, match="not on the public internet"):
            fetch(url, IN_PRODUCTION)


def test_a_title_holds_what_a_database_keeps():
    assert read(b"<title>Te\0a</title>", "text/html", None).title.startswith("Te")
    assert "\0" not in read(b"<title>Te\0a</title>", "text/html", None).title


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_addresses_that_are_public(address):
    assert is_public(address)


def test_what_is_there_for_machines_is_not_read():
    body = b"<title>T</title><nav>Menu</nav><script>var whale</script><p>Said</p><footer>Imprint</footer>"
    assert read(body, "text/html", None).text == "Said"


def test_an_encoding_that_nobody_knows_does_no_harm():
    assert read(b"tea", "text/plain", "klingon").text == "tea"
