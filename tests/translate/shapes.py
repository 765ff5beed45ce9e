"""Payloads in the shapes that bots use, with a word of its own in each place that people read.

``w0``, ``w1``, ... are the words; everything else is for programs.
"""

from __future__ import annotations

from typing import Any

URL = "https://shop.example/{}"
PICTURE = "https://cdn.example/{}.jpg"
BUTTONS = [{"title": "w1", "payload": "/a"}, {"title": "w2", "url": URL.format("w3")}]
CARD = {
    "title": "w0",
    "subtitle": "w1",
    "image_url": PICTURE.format("picture"),
    "buttons": [{"title": "w2", "payload": "/x"}],
}
CARDS = [CARD, {**CARD, "title": "w3", "subtitle": "w4", "buttons": [{"title": "w5", "url": URL}]}]
LINE_ACTIONS = [
    {"type": "message", "label": "w2", "text": "say it"},
    {"type": "uri", "label": "w3", "uri": URL.format("w4")},
]

REPLIES: dict[str, Any] = {
    "text": {"text": "w0 w1"},
    "buttons": {"text": "w0", "buttons": BUTTONS},
    "buttons below a blank text": {"text": " ", "buttons": BUTTONS},
    "quick replies": {"text": "w0", "quick_replies": [{"content_type": "text", "title": "w1"}]},
    "image": {"text": "w0", "image": PICTURE.format("w1")},
    "video": {"attachment": {"type": "video", "payload": {"src": URL.format("w0"), "title": "w1"}}},
    "generic": {
        "attachment": {
            "type": "template",
            "payload": {"template_type": "generic", "elements": CARDS},
        }
    },
    "elements": {"elements": CARDS},
    "answers": {
        "custom": {
            "answers": [
                {"type": "html", "text": "<b>w0</b>"},
                {"type": "links", "title": "w1", "links": [{"title": "w2", "url": URL}]},
                {"type": "youtube", "youtubeId": "w3w3w3"},
                {"type": "image", "images": [{"url": PICTURE.format("w4"), "title": "w5"}]},
                {"type": "multichoice", "title": "w6", "options": [{"label": "w7", "value": "/x"}]},
                {"type": "carousel", "title": "w8", "cards": [{"title": "w9"}, {"title": "v1"}]},
            ]
        }
    },
    "Slack": {
        "custom": {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "w0"}},
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": "*w1* <https://w2.example>"},
                },
                {"type": "image", "image_url": PICTURE.format("w3"), "title": {"text": "w4"}},
                {
                    "type": "actions",
                    "elements": [
                        {"type": "button", "text": {"type": "plain_text", "text": "w5"}},
                        {"type": "static_select", "options": [{"text": {"text": "w6"}}]},
                    ],
                },
            ]
        }
    },
    "Facebook": {
        "custom": {
            "attachment": {
                "type": "template",
                "payload": {"template_type": "button", "text": "w0", "buttons": BUTTONS},
            }
        }
    },
    "widget text": {"custom": {"payload": "text", "text": "w0"}},
    "widget pdf": {"custom": {"payload": "pdf_attachment", "title": "w0", "url": URL.format("w1")}},
    "widget collapsible": {
        "custom": {"payload": "collapsible", "data": [{"title": "w0", "description": "w1"}]}
    },
    "widget choices": {
        "text": "w0",
        "custom": {"payload": "quickReplies", "data": [{"title": "w1", "payload": "/a"}]},
    },
    "widget cards": {"custom": {"payload": "cardsCarousel", "data": CARDS}},
    "widget chart": {
        "custom": {
            "payload": "chart",
            "data": {"title": "w0", "labels": ["w1", "w2"], "chartsData": [5, 6]},
        }
    },
    "LINE text": {
        "custom": {
            "type": "text",
            "text": "w0",
            "quickReply": {"items": [{"type": "action", "action": LINE_ACTIONS[0]}]},
        }
    },
    "LINE buttons": {
        "custom": {
            "type": "template",
            "altText": "never shown",
            "template": {
                "type": "buttons",
                "thumbnailImageUrl": PICTURE.format("picture"),
                "title": "w0",
                "text": "w1",
                "actions": LINE_ACTIONS,
            },
        }
    },
    "LINE flex": {
        "custom": {
            "type": "flex",
            "contents": {
                "type": "bubble",
                "hero": {"type": "image", "url": PICTURE.format("picture")},
                "body": {"type": "box", "contents": [{"type": "text", "text": "w0 w1"}]},
                "footer": {
                    "type": "box",
                    "contents": [{"type": "button", "action": each} for each in LINE_ACTIONS],
                },
            },
        }
    },
    "Telegram text": {
        "custom": {
            "text": "w0",
            "parse_mode": "HTML",
            "reply_markup": {
                "inline_keyboard": [
                    [{"text": "w1", "callback_data": "/b"}],
                    [{"text": "w2", "web_app": {"url": URL.format("w3")}}],
                    [{"text": "w4", "login_url": {"url": URL.format("w5")}}],
                ]
            },
        }
    },
    "Telegram JSON text": {
        "custom": {"text": "w0", "reply_markup": '{"keyboard": [["w1", {"text": "w2"}]]}'}
    },
    "Telegram photo": {"custom": {"photo": PICTURE.format("w0"), "caption": "w1"}},
    "Telegram place": {"custom": {"latitude": 1, "longitude": 2, "title": "w0", "address": "w1"}},
    "Telegram contact": {"custom": {"phone_number": "+1 555", "first_name": "w0"}},
    "WhatsApp list": {
        "custom": {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "header": {"type": "text", "text": "w0"},
                "body": {"text": "w1"},
                "footer": {"text": "w2"},
                "action": {
                    "button": "Open",
                    "sections": [{"title": "x", "rows": [{"id": "r", "title": "w3"}]}],
                },
            },
        }
    },
    "WhatsApp document": {
        "custom": {"type": "document", "document": {"link": URL.format("w0"), "caption": "w1"}}
    },
    "Google": {
        "custom": {
            "google": {
                "richResponse": {
                    "items": [
                        {"simpleResponse": {"displayText": "w0"}},
                        {"basicCard": {"title": "w1", "formattedText": "w2"}},
                    ],
                    "suggestions": [{"title": "w3"}],
                    "linkOutSuggestion": {"destinationName": "w4", "url": URL.format("w5")},
                }
            }
        }
    },
    "adaptive card": {
        "custom": {
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {
                        "type": "AdaptiveCard",
                        "body": [{"type": "TextBlock", "text": "w0"}],
                        "actions": [{"type": "Action.OpenUrl", "title": "w1", "url": URL}],
                    },
                }
            ]
        }
    },
    "Twilio": {"custom": {"body": "w0", "media_url": [PICTURE.format("w1"), PICTURE.format("w2")]}},
    "Viber": {
        "custom": {
            "type": "text",
            "text": "w0",
            "keyboard": {"Buttons": [{"ActionBody": "say it", "Text": "w1"}]},
        }
    },
    "Webex": {"custom": {"markdown": "w0", "files": [PICTURE.format("w1")]}},
    "cards": {"custom": {"cards": CARDS}},
    "carousel": {"custom": {"type": "carousel", "items": CARDS}},
    "a message": {"custom": {"type": "text", "text": "w0", "quick_replies": BUTTONS}},
    "a string": {"custom": "w0"},
    "a list": {"custom": ["w0", {"text": "w1"}, [{"title": "w2"}]]},
}
