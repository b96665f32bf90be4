"""Users as `users.list` shows them."""

from typing import Any

Fields = dict[str, Any]
SLACKBOT = "USLACKBOT"


def person(team: str, key: str, name: str, updated: int, **fields: Any) -> Fields:
    """A member; with `email`, `real_name`, `is_bot` or whatever else is given."""
    real = str(fields.pop("real_name", name.replace(".", " ").title()))
    email = fields.pop("email", f"{name}@example.com")
    first, _, last = real.partition(" ")
    bot = bool(fields.get("is_bot"))
    profile: Fields = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": real,
        "real_name_normalized": real,
        "display_name": name,
        "display_name_normalized": name,
        "status_text": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": f"g{key.lower()}",
        "image_24": "https://secure.gravatar.com/avatar/0.jpg?s=24",
        "image_192": "https://secure.gravatar.com/avatar/0.jpg?s=192",
        "first_name": first,
        "last_name": last,
        "status_text_canonical": "",
        "team": team,
    }
    profile |= {"email": email} if email and not bot else {}
    profile |= fields.pop("profile", {})
    return {
        "id": key,
        "team_id": team,
        "name": name,
        "deleted": False,
        "color": "9f69e7",
        "real_name": real,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": updated,
        "is_email_confirmed": not bot,
        "who_can_share_contact_card": "EVERYONE",
    } | fields


def shown(user: Fields, *, email: bool) -> Fields:
    """The user as an app sees it: one that was deactivated tells less, and an address takes a scope of its own."""
    fields = dict(user)
    if user["deleted"]:
        for name in ("color", "real_name", "tz", "tz_label", "tz_offset", "is_admin", "is_owner", "is_primary_owner"):
            fields.pop(name, None)
    if not email and "email" in user["profile"]:
        fields["profile"] = {name: value for name, value in user["profile"].items() if name != "email"}
    return fields
