"""People: this service's own copy of the members, made of what members announced. It can be remade."""
