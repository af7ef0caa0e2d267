"""The nouns of RPC and HTTP, one file per service: the shapes of requests and answers."""
