"""Followers: who follows what, made of what other services announced and the tellings declare. It can be remade."""
