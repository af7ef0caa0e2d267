"""Nouns that cross RPC and HTTP, one file per service: what may be sent, what is answered."""
