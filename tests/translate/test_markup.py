"""Markdown and HTML: what web widgets render, and nothing that only looks like it."""

from __future__ import annotations

import time
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    ("<table>\n<tr><th>Day</th><th>Open</th></tr>\n<tr><td>Mon</td>\n<td>9-17</td></tr></table>!",
     "<p>Day Open <br>\nMon 9-17</p>\n!", "Day Open\nMon 9-17\n!"),
    ("<ol start=3>\n<li>a</li>\n<li>b<ul><li>c</li></ul></li>\n<li>d</li>\n</ol>",
     '<ol start="3">\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n<li>d</li>\n</ol>',
     "3. a\n4. b\n\n- c\n\n5. d"),
    ("| Day | Open |\n|---|:-:|\n| **Mon** | 9-17 |",
     "<p>Day | Open <br>\n<strong>Mon</strong> | 9-17</p>", "Day | Open\nMon | 9-17"),
    ("*粗体*中文_重点_。", "<p><em>粗体</em>中文<em>重点</em>。</p>", "粗体中文重点。"),
    ("中文**粗体。**中文~~旧~~", "<p>中文<strong>粗体。</strong>中文<del>旧</del></p>",
     "中文粗体。中文旧"),
    ("<https://s.example|our *shop*> <mailto:a@b.example|a>",
     '<p><a href="https://s.example">our *shop*</a> <a href="mailto:a@b.example">a</a></p>',
     "our *shop* (https://s.example) a (a@b.example)"),
    ("<tel:+49301234567|call>", '<p><a href="tel:+49301234567">call</a></p>',
     "call (+49301234567)"),
    ("[+49 (30) 1234567](tel:+49-30-1234567)",
     '<p><a href="tel:+49-30-1234567">+49 (30) 1234567</a></p>', "+49 (30) 1234567"),
    ("<a href='tel:+49301234567'>Call +49 30 1234567</a>",
     '<a href="tel:+49301234567">Call +49 30 1234567</a>', "Call +49 30 1234567"),
    ("[us](mailto:a@b.example?subject=Hi)",
     '<p><a href="mailto:a@b.example?subject=Hi">us</a></p>', "us (a@b.example)"),
    ("Tom &amp; Jerry&nbsp;5<br>[shop](https://s.example?a=1&amp;b=2) &#8599;",
     '<p>Tom &amp; Jerry&nbsp;5 <br>\n<a href="https://s.example?a=1&amp;b=2">shop</a> ↗</p>',
     "Tom & Jerry\u00a05\nshop (https://s.example?a=1&b=2) ↗"),
    ("`a &lt; b` &#42;x&#42; **&amp;lt;**",
     "<p><code>a &lt; b</code> *x* <strong>&amp;lt;</strong></p>", "a < b *x* &lt;"),
    (":wave: <b>Hi</b> :tada:!", "👋 <b>Hi</b> 🎉!", "👋 Hi 🎉!"),
    ("<b>a</b> [b](https://s.example)", '<b>a</b> <a href="https://s.example">b</a>',
     "a b (https://s.example)"),
    ('<p dir="RTL">السعر: <b dir=auto>10</b></p>',
     '<p dir="rtl">السعر: <b dir="auto">10</b></p>', "السعر: 10"),
    ("**שלום** world", '<p dir="rtl"><strong>שלום</strong> world</p>', "שלום world"),
    ("<b>שלום</b> world", '<div dir="rtl"><b>שלום</b> world</div>', "שלום world"),
    ("**Hello** שלום", "<p><strong>Hello</strong> שלום</p>", "Hello שלום"),
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
    "AT&T & more; R&D;",
    "https://s.example?a=1&copy=2",
    "<first-name> and <time>",
    "std::string :a: x:smile:y http://:smile:",
    "| not | a table",
    "price~ish ~5",
]


TAGS = [
    (
        "<b>Ready</b> <tg-emoji emoji-id='1'>👍</tg-emoji> <ins>today</ins> <!-- x -->",
        "Ready 👍 today",
    ),
    ("<strike>10</strike> 8 EUR", "10 8 EUR"),
    ("<button onclick='x()'>Go</button> <mark>now</mark>", "Go now"),
    ("<b>x</b><script>alert(1)</script><style>b {}</style> y", "x y"),
    ("<my-widget>Hi</my-widget> <b>you</b>", "Hi you"),
    ("<b>a < b</b> and c > d <3", "a < b and c > d <3"),
    ("<details><summary>More</summary>Words</details>", "More\nWords"),
    ("<b>Dear</b> <name> <!-- not closed", "Dear <name> <!-- not closed"),
    ("See <iframe src='https://s.example/v'></iframe>now", "See\nhttps://s.example/v\nnow"),
    ("<video controls><source src='https://s.example/v.mp4'></video>", "https://s.example/v.mp4"),
]


@pytest.mark.parametrize(("text", "bare"), TAGS, ids=[each[0] for each in TAGS])
def test_of_other_tags_the_words_are_kept(text: str, bare: str) -> None:
    assert plain(text) == bare
    assert plain(html(text), Form.HTML).split() == bare.split()


WHATSAPP = [
    ("*YES* - go on", "*YES* - go on"),
    ("**bold** and __bold__", "*bold* and *bold*"),
    ("_it_ ~~old~~ ~own~ `code`", "_it_ ~old~ ~own~ `code`"),
    ("***both***", "*_both_*"),
    ("# Hours of **today**", "*Hours of today*"),
    ("> quoted **words**", "> quoted *words*"),
    ("```\nx = 1\n```", "```x = 1```"),
    ("in**side** and 这是**重点**内容", "inside and 这是重点内容"),
    ("**two\nlines**", "two\nlines"),
    ("**not closed", "**not closed"),
    ("<b> Ready </b>now <i>or</i> <s>never</s>", "*Ready* now _or_ ~never~"),
    ("<b><strong>once</strong></b><b> </b>", "*once*"),
    ("<h2>Hours</h2><code>9-17</code>", "*Hours*\n`9-17`"),
    ("<b>two<br>lines</b>", "two\nlines"),
    ("<b>[shop](https://s.example)</b>", "*shop (https://s.example)*"),
    ("2 * 3 * 4", "2 * 3 * 4"),
]


@pytest.mark.parametrize(("text", "written"), WHATSAPP, ids=[each[0] for each in WHATSAPP])
def test_whatsapps_own_markup_is_written_on_whatsapp(text: str, written: str) -> None:
    (draft,) = TRANSLATOR.translate({"text": text}, Channel.WHATSAPP, ROOM).drafts
    assert draft.content == written
    row = {"channels": {"WHATSAPP": {"markup": "plain"}}}
    without = Translator(MediaSettings.model_validate(row))
    (bare,) = without.translate({"text": text}, Channel.WHATSAPP, ROOM).drafts
    (elsewhere,) = TRANSLATOR.translate({"text": text}, Channel.TELEGRAM, ROOM).drafts
    assert bare.content == elsewhere.content == plain(text)


def test_a_channel_that_takes_formatted_text_gets_it_first() -> None:
    row = {"channels": {"WHATSAPP": {"takes": ["TEXT", "RICHTEXT"]}}}
    translator = Translator(MediaSettings.model_validate(row))
    (draft,) = translator.translate({"text": "**bold**"}, Channel.WHATSAPP, ROOM).drafts
    assert draft.content == "<p><strong>bold</strong></p>"
    shipped = TRANSLATOR.translate({"text": "**bold**"}, Channel.WHATSAPP, ROOM)
    assert shipped.notes == ()


def test_slacks_bold_is_whatsapps() -> None:
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*New*: <https://s.example|x>"}}
    ]
    (draft,) = TRANSLATOR.translate({"custom": {"blocks": blocks}}, Channel.WHATSAPP, ROOM).drafts
    assert draft.content == "*New*: x (https://s.example)"


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(
    "text", ["see [it](/faq) now", "see <a href='/faq'>it</a> now", "![it](faq) <img src='/faq'>"]
)
def test_links_in_markup_are_relative_to_the_base(text: str, channel: Channel) -> None:
    based = Translator(MediaSettings(base_url="https://shop.example/"))
    (draft,) = based.translate({"text": text.replace("(faq)", "(/faq)")}, channel, ROOM).drafts
    assert "https://shop.example/faq" in draft.content
    assert '"/faq' not in draft.content


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.EMAIL])
def test_text_from_right_to_left_says_so(channel: Channel) -> None:
    buttons = [{"title": "כן", "payload": "/y"}]
    texts = ("שלום", "1. שלום", "**שלום**", "<b>שלום</b>")
    replies: list[dict[str, Any]] = [{"text": text} for text in texts]
    for reply in [*replies, {"buttons": buttons}]:
        (draft,) = TRANSLATOR.translate(reply, channel, ROOM).drafts
        assert ' dir="rtl"' in draft.content, reply
    (agents,) = TRANSLATOR.text("שלום", channel, ROOM).drafts
    assert agents.content == '<div dir="rtl">שלום</div>'
    (left,) = TRANSLATOR.translate({"text": "Hello שלום"}, channel, ROOM).drafts
    assert "dir=" not in left.content


WORDS = st.text(st.sampled_from("ab &<>;'\"#ampltgquo0123456789xé中"), max_size=40)


@settings(deadline=None, derandomize=True)
@given(words=WORDS, wrap=st.sampled_from(["{}", "<b>x</b> {}", "**x** {}", "x<br>{}", "- *x* {}"]))
def test_entities_are_decoded_once(words: str, wrap: str) -> None:
    text = wrap.format(escape(words))
    for channel in (Channel.SMS, Channel.WEB):
        drafts = TRANSLATOR.translate({"text": text}, channel, ROOM).drafts
        shown = "".join(TRANSLATOR.plain(draft, channel) or "" for draft in drafts)
        assert "".join(words.split()) in "".join(shown.split())


HOSTILE = [
    *("[", "![", "](", "[a](b", "*a_ ", "**a *b", "`a``", "~~a ~", "<b>", "<b><i> ", "<a href=/x>"),
    *(
        "<!--",
        "<script>",
        "</b>",
        "<li>",
        "<ol><li>",
        "<td>",
        "<x y=",
        "&",
        "&amp;",
        ":smile:",
        ":a",
    ),
    *("<https://a|", "<https://a|b>", "| a ", "|-", "> ", "- ", "</script>", "<b> </b>", "\n|-|\n"),
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("channel", [Channel.WEB, Channel.WHATSAPP])
def test_the_time_grows_with_the_text_alone(unit: str, channel: Channel) -> None:
    long = unit * (64_000 // len(unit))
    for text in (long, f"<b>x</b>{long}", f"{long}</b></a>"):
        before = time.process_time()
        TRANSLATOR.translate({"text": text}, channel, ROOM)
        assert time.process_time() - before < 1.5, unit


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
