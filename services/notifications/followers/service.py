"""Followers hears the messages of all declared followings."""

from typing import Any

from services.chassis.messaging import Envelope
from services.chassis.store import Store
from services.notifications.declared import hears
from services.notifications.followers import domain
from services.notifications.followers.store import FollowerStore
from services.notifications.tellings import FOLLOWINGS
from services.notifications.tellings.grammar import Following


@hears(FOLLOWINGS)
class Followers:
    """Knows who follows what, so that they hear what becomes of it."""

    name = "notifications.followers"
    followers = Store(FollowerStore)

    def hear(self, following: Following, message: Envelope, heard: dict[str, Any]) -> None:
        """Remember the member as the declaration says. An anonymous deed has no member and makes no follower."""
        member_id = heard[following.member]
        if member_id is not None:
            subject = heard[following.subject]
            self.followers.keep_youngest(domain.follower(subject, member_id, following.state, message.sequence))
