"""Generated replies: the shapes that real bots use, with anything in any place."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bridge.translate import Room

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=30)
    | st.sampled_from(
        [
            "https://cdn.example/a.jpg",
            "https://cdn.example/a.JPEG?x=1&y=%20",
            "http://cdn.example/clip.gifv",
            "https://youtu.be/x",
            "static/img/Labrador Retriever.jpeg",
            "/docs/terms.rtf",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "tel:+49 30 1234",
            "+49 30 1234",
            "**bold** [label](https://a.example/b_(c))",
            "<b>bold</b><br><script>alert(1)</script>",
            "<https://a.example|our shop> :wave: &amp;amp; *WORD*",
            "<table><tr><td>a</td><td dir=rtl>b</td></tr></table><ol><li>c</ol>",
            "<iframe src='/x'></iframe><!-- c --> <x-y>words</x-y> <b><i>z",
            "| a | b |\n|---|---|\n| **c** | d |",
            "5",
            "2 people",
            "שלום",
            '/inform{"a": "b"}',
            "text",
            "image",
            "\ud800 half",
            "\x00\x1b\u2028",
        ]
    )
)
anything = st.recursive(
    scalars,
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4)
    ),
    max_leaves=12,
)
maybe = anything | st.just(None)


def some(**keys: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


def kind(*names: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(names) | anything


addresses = scalars
buttons = st.lists(
    some(
        title=scalars,
        payload=anything,
        paylaod=scalars,
        url=addresses,
        type=kind("web_url", "postback", "phone_number"),
        text=anything,
    )
    | scalars,
    max_size=9,
)
cards = st.lists(
    some(
        title=scalars,
        subtitle=scalars,
        image_url=addresses,
        default_action=some(type=scalars, url=addresses) | anything,
        buttons=buttons,
        text=scalars,
    )
    | anything,
    max_size=4,
)
slack_text = some(type=kind("mrkdwn", "plain_text"), text=scalars) | anything
slack = some(
    blocks=st.lists(
        some(
            type=kind("section", "header", "image", "actions", "context", "divider", "rich_text"),
            text=slack_text,
            fields=st.lists(slack_text, max_size=2),
            image_url=addresses,
            elements=buttons,
            accessory=some(type=kind("button", "static_select"), text=slack_text, options=buttons),
        ),
        max_size=4,
    ),
    attachments=st.lists(some(fallback=scalars, text=scalars, actions=buttons), max_size=2),
)
template = some(
    template_type=kind("generic", "button", "media"), elements=cards, text=scalars, buttons=buttons
)
facebook = some(attachment=some(type=kind("template", "image"), payload=template | anything))
line = some(
    type=kind("text", "image", "template", "flex", "sticker", "imagemap", "location"),
    text=scalars,
    altText=scalars,
    originalContentUrl=addresses,
    template=some(
        type=kind("buttons", "confirm", "carousel", "image_carousel"),
        title=scalars,
        text=scalars,
        actions=buttons,
        columns=cards,
    )
    | anything,
    contents=anything,
    quickReply=some(items=buttons),
)
telegram = some(
    text=scalars,
    parse_mode=kind("HTML", "Markdown"),
    photo=addresses,
    document=addresses,
    caption=scalars,
    latitude=st.floats(-95, 95) | scalars,
    longitude=st.floats(-190, 190) | scalars,
    title=scalars,
    phone_number=scalars,
    first_name=scalars,
    reply_markup=some(inline_keyboard=st.lists(buttons, max_size=2), keyboard=buttons) | anything,
)
whatsapp = some(
    type=kind("interactive", "template", "image", "document", "location", "text", "contacts"),
    interactive=some(
        type=scalars,
        header=anything,
        body=some(text=scalars) | anything,
        action=some(
            buttons=buttons, sections=st.lists(some(title=scalars, rows=buttons), max_size=2)
        ),
    ),
    template=some(name=scalars, language=some(code=scalars), components=anything),
    image=some(link=addresses, caption=scalars) | anything,
    location=some(latitude=scalars, longitude=st.floats(-190, 190), name=scalars) | anything,
    text=some(body=scalars) | anything,
)
widget = some(
    payload=kind(
        "pdf_attachment",
        "collapsible",
        "dropDown",
        "quickReplies",
        "cardsCarousel",
        "chart",
        "location",
        "video",
        "text",
        "image",
    ),
    platform=scalars,
    data=buttons | cards | anything,
    url=addresses,
    title=scalars,
    text=scalars,
)
answers = some(
    answers=st.lists(
        some(
            type=kind(
                "html", "ssml", "hints", "links", "youtube", "image", "multichoice", "command"
            ),
            text=scalars,
            url=addresses,
            items=buttons | cards,
        ),
        max_size=4,
    )
)
others = some(
    type=kind("email", "sms_template", "whatsapp_template", "cobrowse", "link", "AdaptiveCard"),
    subject=scalars,
    text=scalars,
    name=scalars,
    url=addresses,
    title=scalars,
    body=anything,
    parameters=anything,
    richResponse=anything,
)
attachment = some(
    type=kind("video", "template", "image", "audio", "file", "button-carousel-template"),
    payload=some(src=addresses, url=addresses, title=scalars) | template | anything,
)
deck = some(
    type=kind("carousel", "cards"), items=cards, cards=cards, carousel=anything, title=scalars
)
viber = some(
    type=kind("text", "picture", "video", "url", "location", "contact", "rich_media"),
    text=scalars,
    media=addresses,
    location=some(lat=scalars, lon=st.floats(-190, 190)) | anything,
    contact=some(name=scalars, phone_number=scalars),
    rich_media=some(Buttons=buttons),
    keyboard=some(Buttons=buttons) | anything,
)
chatwoot = some(
    content=scalars,
    content_type=kind("text", "input_select", "cards", "article"),
    items=buttons | cards,
    content_attributes=some(items=buttons | cards) | anything,
)
wechat = some(
    msgtype=kind("text", "image", "news", "msgmenu"),
    text=some(content=scalars) | anything,
    image=some(url=addresses) | anything,
    news=some(articles=cards),
    msgmenu=some(head_content=scalars, list=st.lists(some(id=scalars, content=scalars))),
)
google_chat = some(
    text=scalars,
    cardsV2=st.lists(
        some(
            card=some(
                header=some(title=scalars, imageUrl=addresses) | anything,
                sections=st.lists(
                    some(
                        widgets=st.lists(
                            some(
                                textParagraph=some(text=scalars) | anything,
                                decoratedText=some(topLabel=scalars, text=scalars) | anything,
                                image=some(imageUrl=addresses) | anything,
                                buttonList=some(buttons=buttons) | anything,
                            ),
                            max_size=2,
                        )
                    ),
                    max_size=2,
                ),
            )
            | anything
        ),
        max_size=2,
    ),
)
other_connectors = (
    deck
    | viber
    | chatwoot
    | wechat
    | google_chat
    | some(body=scalars, media_url=addresses | st.lists(addresses), to=scalars)
    | some(markdown=scalars, files=st.lists(addresses, max_size=2))
)
custom = (
    other_connectors
    | slack
    | facebook
    | line
    | telegram
    | whatsapp
    | widget
    | answers
    | others
    | attachment
)
payloads = custom | anything | st.lists(custom | anything, max_size=3)

replies = some(
    text=scalars | anything,
    buttons=buttons | anything,
    quick_replies=buttons | maybe,
    custom=payloads,
    image=addresses | anything,
    attachment=attachment | payloads,
    elements=cards | anything,
)

rooms = st.builds(
    Room,
    limit=st.sampled_from([1900, 3800, 900]),
    overhead=st.integers(0, 600),
    as_json=st.booleans(),
    chars=st.sampled_from([None, None, 500, 50]),
    text_only=st.booleans(),
)
