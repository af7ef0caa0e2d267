"""Followers: who follows what, made from the messages that the tellings declare. It can be made again from them."""
