"""The columns of messages and labels.

What a message says in its headers and parts lies in lists, where no path leads: it is also in the record's own member
`syncline`, beside what Gmail sent.
"""

from connectors.columns import integer, moment, text, texts

OURS = "syncline"

MESSAGE = {
    "thread_id": text("threadId"),
    "subject": text((OURS, "subject")),
    "from_address": text((OURS, "from_address"), note="without the name"),
    "to_addresses": texts((OURS, "to_addresses"), note="without the names"),
    "cc_addresses": texts((OURS, "cc_addresses"), note="without the names"),
    "sent_at": moment((OURS, "sent_at_ms"), unit="ms", note="Gmail's internalDate: when it was sent or received"),
    "snippet": text(note="the beginning of the text, with HTML entities"),
    "body_text": text((OURS, "body_text"), note="the text to be read, up to 100,000 characters"),
    "label_ids": texts("labelIds", note="TRASH and SPAM among them"),
    "size": integer("sizeEstimate", note="in bytes, with attachments, estimated by Gmail"),
    "history_id": text("historyId", note="of the last change"),
    "message_id": text((OURS, "message_id"), note="the Message-ID header"),
}

LABEL = {
    "name": text(),
    "type": text(note="system or user"),
    "message_list_visibility": text("messageListVisibility"),
    "label_list_visibility": text("labelListVisibility"),
    "text_color": text(("color", "textColor")),
    "background_color": text(("color", "backgroundColor")),
}
