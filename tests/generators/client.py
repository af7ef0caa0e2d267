"""A program with the code of openapi-python-client: it signs in and shows what comes."""

import json
import sys

from hearth_client import AuthenticatedClient, Client
from hearth_client.api.events import list_events
from hearth_client.api.members import show_me
from hearth_client.api.sessions import sign_in
from hearth_client.models import Credentials, EventPage, Profile, SignedIn

url, email, password = sys.argv[1:]
tokens = sign_in.sync(client=Client(url), body=Credentials(email=email, password=password))
assert isinstance(tokens, SignedIn)
hub = AuthenticatedClient(url, token=tokens.access_token)
me, events = show_me.sync(client=hub), list_events.sync(client=hub, limit=1)
assert isinstance(me, Profile)
assert isinstance(events, EventPage)
print(json.dumps([str(me.id), *([event.title, event.audience.everyone] for event in events.items)]))
