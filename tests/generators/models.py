"""A program with the models of datamodel-codegen: it signs in and shows what comes."""

import json
import sys

import httpx
from hearth_models import Credentials, EventPage, Profile, SignedIn

url, email, password = sys.argv[1:]
credentials = Credentials(email=email, password=password)  # a password shows itself only when it is asked to
body = credentials.model_dump(exclude_unset=True) | {"password": credentials.password.get_secret_value()}
with httpx.Client(base_url=url) as hub:
    tokens = SignedIn.model_validate_json(hub.post("/v1/sessions", json=body).text)
    hub.headers["Authorization"] = f"Bearer {tokens.access_token}"
    me = Profile.model_validate_json(hub.get("/v1/me").text)
    events = EventPage.model_validate_json(hub.get("/v1/events", params={"limit": 1}).text)
print(json.dumps([str(me.id), *([event.title, event.audience.everyone] for event in events.items)]))
