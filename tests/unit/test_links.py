"""What counts as a link, and to which host it leads."""

from __future__ import annotations

import json
import time

import pytest

from bridge import links


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("From 9 to 5, on 24.12. or 3.5 hours later.", []),
        ("It costs 24.50 EUR and/or nothing...", []),
        ("See https://Shop.EXAMPLE./hours", ["shop.example"]),
        ("Go to www.shop.example/login now", ["www.shop.example"]),
        ("t.me/x", ["t.me"]),
        ("At shop.test.", ["shop.test"]),
        ("请访问shop.example了解更多, 或https://pay.example了解", ["pay.example", "shop.example"]),
        ("https://商店.中国/x müller.example", ["müller.example", "商店.中国"]),
        ("shop.xn--fiqs8s", ["shop.xn--fiqs8s"]),
        ("(http://[2001:db8::1]:80/x)", ["[2001:db8::1]"]),
        ("http://192.0.2.7:8080/x", ["192.0.2.7"]),
        ("192.0.2.7/x, version 1.2.3", ["192.0.2.7"]),
        ("ftp://files.example/x.zip", ["files.example"]),
        ("//cdn.example/x", ["cdn.example"]),
        ("https:\\\\back.example\\x", ["back.example"]),
        ("http://localhost/x", ["localhost"]),
        ("https://shop.example@evil.example/", ["evil.example"]),
        ("https://a@b@evil.example/", ["evil.example"]),
        ("https://evil.example\\@shop.example/", ["evil.example"]),
        ("https://shop.example/hours.html?next=/price.list#top.page", ["shop.example"]),
        ("[a](https://shop.example/x)(evil.example)", ["evil.example", "shop.example"]),
        ("https://shop.example/x\uff0cevil.example", ["evil.example", "shop.example"]),
        ("https://shop.example了.evil.example/", ["shop.example了.evil.example"]),
        ("https://shop.example\u200b.evil.example/", ["shop.example.evil.example"]),
        ("https://\uff45\uff56il\uff0eexample/", ["evil.example"]),
        ("http://%65vil.example/", ["%65vil.example"]),
        ("Write to help@shop.example", []),
        ("javascript:alert(1) tel:+491234", []),
        ("//", []),
        ("<a href='http://in.example'>x</a>", ["in.example"]),
        ('{"text": "see\\nshop.example", "list": [{"url": "https://pay.example/x"}], "n": 1}', [
            "pay.example", "shop.example",
        ]),
        ("{see shop.example", ["shop.example"]),
    ],
)  # fmt: skip
def test_the_hosts_of_a_text(text: str, hosts: list[str]) -> None:
    assert sorted(links.hosts(text)) == hosts


def test_several_texts() -> None:
    assert links.hosts("a.example", json.dumps(["b.example"])) == {"a.example", "b.example"}


@pytest.mark.parametrize(
    "text",
    [
        "a" * 50_000,
        "a." * 25_000,
        "/" * 50_000,
        "//a@" * 12_000,
        "//" + "@" * 50_000,
        "a-" * 25_000,
        "1." * 25_000,
        "[" * 50_000,
        "a.bb " * 10_000,
        "了" * 50_000,
        "//a了" * 12_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    begin = time.perf_counter()
    links.hosts(text)
    assert time.perf_counter() - begin < 1
