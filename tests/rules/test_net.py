"""Which URLs and addresses may be called: the golden list, and every spelling of what must not be reached."""

import re
from ipaddress import ip_address

import pytest

from sayso.core.errors import SettingError
from sayso.core.net import Allowed, RefusedUrlError, check, is_public

#: Addresses that must be refused, whatever name led there.
CLOSED = [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.0.192",
    "198.18.0.1", "203.0.113.5", "224.0.0.1", "0.0.0.0", "255.255.255.255", "240.0.0.1", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "168.63.129.16", "192.88.99.1", "::1", "::", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "2001:db8::1", "5f00::1", "ff02::1", "100::1", "3fff::1",
]  # fmt: skip
OPEN = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2606:4700::1111",
]
#: Spellings of inner addresses, and other ways to another place than the text seems to say.
REFUSED = [
    "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/",
    "https://①②⑦.⓪.⓪.①/", "https://127.0.0.1./", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://8.8.8.8/",
    "https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://api.localhost/", "https://printer.local/",
    "https://intranet/", "https://db.internal/", "https://example.0x7f/", "http://example.com/", "ftp://example.com/",
    "file:///etc/passwd", "//example.com/", "example.com", "https://", "https:///x", "https://example.com:8443/",
    "https://example.com:80/", "https://example.com:99999/", "https://user@example.com/", "https://a:b@example.com/",
    "https://example.com/#part", "https://example.com\\@evil.example/", "https://example.com /", "https://exa\tmple.com/",
    "https://example.com/\n", "https://a..b/", "https://-\u200b-.com/", "https://[fe80::1%25eth0]/", "https://[::1",
    f"https://{'a.' * 130}com/", f"https://example.com/{'x' * 2048}",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OPEN)
def test_what_is_public_passes(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_leads_elsewhere_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(RefusedUrlError, match=r"[a-z]{2}"):
        check(url, Allowed())


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://Example.COM:443/a?b=c", "https://example.com:443/a?b=c"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://example.com./x", "https://example.com/x"),
    ],
)
def test_a_public_url_is_called_by_its_name_in_ascii(url: str, called: str) -> None:
    assert check(url, Allowed()).url == called


def test_what_the_operator_lists_may_be_called_as_it_is_listed_and_nothing_else() -> None:
    allowed = Allowed.parse("localhost, hooks.internal:8080 ,10.1.0.0/16,127.0.0.2,[::1]")
    for url in (
        "http://localhost:9/x", "https://localhost/", "http://hooks.internal:8080/", "http://10.1.2.3:99/",
        "http://127.0.0.2/", "http://[::1]:5/",
    ):  # fmt: skip
        assert check(url, allowed).listed
    for url in (
        "http://hooks.internal/", "http://10.2.0.1/", "http://127.0.0.1/", "http://local/", "http://localhost@10.2.0.1/",
    ):  # fmt: skip
        with pytest.raises(RefusedUrlError):
            check(url, allowed)
    assert not check("https://example.com/", allowed).listed


@pytest.mark.parametrize("text", ["a b", "http://x", "host:port", "10.0.0.0/99", "a..b"])
def test_a_list_that_cannot_be_read_is_told_at_once(text: str) -> None:
    with pytest.raises(SettingError, match=re.escape(text)):
        Allowed.parse(text)


def test_the_test_that_python_offers_would_let_some_through() -> None:
    passed = {address for address in CLOSED if ip_address(address).is_global}
    assert {"224.0.0.1", "64:ff9b::7f00:1", "fec0::1"} <= passed
