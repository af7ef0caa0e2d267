"""The web app in a real browser, on the real platform."""
