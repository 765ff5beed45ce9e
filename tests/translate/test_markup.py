"""Markdown and HTML: what web widgets render, and nothing that only looks like it."""

from __future__ import annotations

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel, MediaType
from bridge.translate import Room, Translator
from bridge.translate.markup import plain, read, sanitise
from bridge.translate.parts import Form

ROOM = Room(limit=1900, overhead=430, as_json=True)
TRANSLATOR = Translator(MediaSettings())


def html(text: str, form: Form = Form.AUTO) -> str:
    return "\n".join(each.html for each in read(text, form))


MARKED = [
    ("**bold**", "<p><strong>bold</strong></p>", "bold"),
    ("*it* and _it_", "<p><em>it</em> and <em>it</em></p>", "it and it"),
    ("***both***", "<p><strong><em>both</em></strong></p>", "both"),
    ("~~gone~~", "<p><del>gone</del></p>", "gone"),
    ("这是**重点**内容", "<p>这是<strong>重点</strong>内容</p>", "这是重点内容"),
    ("`a < b`", "<p><code>a &lt; b</code></p>", "a < b"),
    ("[shop](https://s.example/a_(b))", '<p><a href="https://s.example/a_(b)">shop</a></p>',
     "shop (https://s.example/a_(b))"),
    ('[**shop**](https://s.example "title")', '<p><a href="https://s.example">shop</a></p>',
     "shop (https://s.example)"),
    ("[us](mailto:a@b.example)", '<p><a href="mailto:a@b.example">us</a></p>', "us (a@b.example)"),
    ("**[shop](https://s.example)**",
     '<p><strong><a href="https://s.example">shop</a></strong></p>', "shop (https://s.example)"),
    ("![a hat](https://s.example/h.png)", '<p><img src="https://s.example/h.png" alt="a hat"></p>',
     "a hat (https://s.example/h.png)"),
    ("<https://s.example>", '<p><a href="https://s.example">https://s.example</a></p>',
     "https://s.example"),
    ("**see https://s.example/a_b_**", "<p><strong>see https://s.example/a_b</strong></p>", None),
    ("# Hours\nnine", "<p><strong>Hours</strong></p>\n<p>nine</p>", "Hours\nnine"),
    ("> quoted", "<blockquote>quoted</blockquote>", "quoted"),
    ("* one\n* two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "- one\n- two"),
    ("**a**\n1. one\n2. two", "<p><strong>a</strong> <br>\n1. one <br>\n2. two</p>",
     "a\n1. one\n2. two"),
    ("a **b**\n\n---\n\nc", "<p>a <strong>b</strong></p>\n<p>c</p>", "a b\n\nc"),
    ("```\nx = *y*\n```\nz", "<pre>x = *y*</pre>\n<p>z</p>", "x = *y*\nz"),
    ("<b>bold</b> & so", "<b>bold</b> &amp; so", "bold & so"),
    ("one<br>two<br/>three", "<p>one <br>\ntwo <br>\nthree</p>", "one\ntwo\nthree"),
    ("<ul><li>a</li><li>b</li></ul>", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>", "- a\n- b"),
    ('<a href="https://s.example?a=1&amp;b=2">here</a>',
     '<a href="https://s.example?a=1&amp;b=2">here</a>', "here (https://s.example?a=1&b=2)"),
    ("<p>Dear <name>,</p>", "<p>Dear &lt;name&gt;,</p>", "Dear <name>,"),
    ("<td>a</td><td>b</td>", "a b", "a b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rendered", "bare"), MARKED, ids=[each[0] for each in MARKED])
def test_markup_is_read(text: str, rendered: str, bare: str | None) -> None:
    if bare is not None:
        assert html(text) == rendered
        assert plain(text) == bare


NOT_MARKED = [
    "2 * 3 * 4 and 5*6*7",
    "snake_case_name and __init",
    "**not closed",
    "* alone",
    "#hashtag and # in the middle",
    "foo[0](bar) and [brackets]",
    "a < b > c",
    "<name> and <your e-mail>",
    "<script>alert(1)</script>",
    "- a dash\n- another",
    "1. one\n2. two",
    "> 18 years",
    "¯\\_(ツ)_/¯",
    "Name: ____ and *****",
    "AT&T &amp; more",
    "price~ish ~5",
]


@pytest.mark.parametrize("text", NOT_MARKED)
def test_what_only_looks_like_markup_is_text(text: str) -> None:
    assert read(text) == ()
    assert plain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1)) **a**",
        '<a href="javascript:alert(1)">x</a>',
        '<b onclick="alert(1)">x</b>',
        '<img src="x" onerror="alert(1)"> <b>y</b>',
        "<b>x</b><script>alert(1)</script><iframe src=x></iframe>",
        "**x** <svg onload=alert(1)>",
        '![x](https://a.example/"onerror="alert(1))',
        "<<b>b</b>script>alert(1)</script>",
    ],
)
def test_nothing_runs_in_a_customers_page(text: str) -> None:
    (draft,) = TRANSLATOR.translate({"text": text}, Channel.WEB, ROOM).drafts
    assert draft.media_type is MediaType.RICHTEXT
    assert "<script" not in draft.content
    assert "<iframe" not in draft.content
    assert "<svg" not in draft.content
    for tag in draft.content.split("<")[1:]:
        inside = tag.partition(">")[0].lower()
        assert "onclick" not in inside
        assert "javascript" not in inside
        assert " onerror=" not in inside.replace('"', "")[: inside.find("alt=") + 1]
    assert sanitise(draft.content).replace("\n", "") == draft.content.replace("\n", "")


def test_slacks_own_markup() -> None:
    text = "*bold* <https://s.example|shop> ~old~ <@U12|anna> &amp; &lt;x&gt;"
    assert plain(text, Form.SLACK) == "bold shop (https://s.example) old @anna & <x>"


def test_an_agents_words_are_not_markup() -> None:
    text = "**mind** the <b>gap</b> [x](https://a.example)"
    (draft,) = TRANSLATOR.text(text, Channel.WEB, ROOM).drafts
    assert draft.media_type is MediaType.TEXT
    assert draft.content == text.replace("<", "&lt;").replace(">", "&gt;")


def test_a_long_markdown_becomes_several_whole_messages() -> None:
    text = "\n\n".join(f"**{number}** " + "word " * 60 for number in range(20))
    drafts = TRANSLATOR.translate({"text": text}, Channel.WEB, ROOM).drafts
    assert len(drafts) > 3
    for number, draft in enumerate(drafts):
        assert draft.media_type is MediaType.RICHTEXT, number
        assert draft.content.count("<p>") == draft.content.count("</p>")
        assert draft.content.count("<strong>") == draft.content.count("</strong>")


def test_a_paragraph_too_long_for_markup_goes_as_plain_words() -> None:
    text = "**Start** " + "word " * 500 + "**end**"
    translation = TRANSLATOR.translate({"text": text}, Channel.WEB, ROOM)
    assert {each.media_type for each in translation.drafts} == {MediaType.TEXT}
    assert " ".join(each.content for each in translation.drafts) == plain(text)
    assert "markup_as_text" in [each.code for each in translation.notes]
