"""The store of the copy: one row per member."""

from services.chassis.rows import Rows
from services.feedback.people.domain import Person


class PeopleStore(Rows[Person]):
    """The copy of the members' names, asked by id."""

    collection = "people"
