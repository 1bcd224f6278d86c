"""What goes wrong between a person and a search for them, one kind at a time.

The rules of matching are judged by these, so nothing here is taken from them: not their nicknames, and not what they
call alike. Only `names.fold` is used, to be sure that a slip has changed more than case and accents.
"""

import datetime
import functools
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from lrs_soap.rules import names
from lrs_soap.synth import homes, tables
from lrs_soap.synth.people import YEAR, Learner

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUNDS = (
    "ph f", "f ph", "ck k", "c k", "k c", "ie y", "y ie", "ee ea", "ea ee", "s z", "z s", "th t", "gh g", "ai ay", "ay ai",
    "ei ie", "ll l", "l ll", "nn n", "n nn", "tt t", "t tt", "ou ow", "ow ou", "wh w", "w wh", "oo u", "er ar", "ar er",
    "son sen", "j g", "x ks", "mm m", "m mm", "rr r", "r rr", "i y", "y i", "ey y", "y ey", "ssi shi", "oh o", "ah a", "a ah",
    "kh k", "ow o", "au aw", "dd d", "d dd", "qu kw", "cz ch", "sz sh", "w v", "au o", "gg g", "ur er", "ir er", "e i", "u oo",
)  # fmt: skip
_UNDECOMPOSED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "ı": "i", "đ": "d", "æ": "ae"})


class Mistake(NamedTuple):
    """A kind of mistake: what it is about, and what it makes of a learner, or None where it cannot happen to them.

    Two mistakes about the same thing are never in one search.
    """

    kind: str
    about: str
    make: Callable[[Learner, Callable[[], float]], Learner | None]


def _one(draw, values):
    return values[int(draw() * len(values))]


def _typed(field: str):
    def make(learner: Learner, draw) -> Learner | None:
        text = getattr(learner, field)
        places = [place for place, letter in enumerate(text) if letter.isalpha()]
        if len(places) < 3:
            return None
        for _ in range(20):
            slipped = _slip(text, _one(draw, places), draw)
            if names.fold(slipped) != names.fold(text):
                return learner._replace(**{field: slipped})
        return None

    return make


def _slip(text: str, place: int, draw) -> str:
    """Another key, a letter too few or too many, or two neighbours exchanged."""
    kind, letter = int(draw() * 4), text[place]
    if kind == 0:
        row = next((row for row in _KEYBOARD if letter.lower() in row), "aeiou")
        near = row[max(0, row.find(letter.lower()) - 1) :][:3]
        return text[:place] + _one(draw, near) + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1 :]
    if kind == 2:
        return text[:place] + letter + text[place:]
    return text[:place] + text[place + 1 : place + 2] + letter + text[place + 2 :]


def _misheard(field: str):
    def make(learner: Learner, draw) -> Learner | None:
        text = getattr(learner, field)
        heard = []
        for pair in _SOUNDS:
            wrote, writes = pair.split(" ")
            at = text.lower().find(wrote)
            if at >= 0:
                other = text[:at] + (writes.capitalize() if at == 0 else writes) + text[at + len(wrote) :]
                if names.fold(other) != names.fold(text):
                    heard.append(other)
        return learner._replace(**{field: _one(draw, heard)}) if heard else None

    return make


def _nickname(learner: Learner, draw) -> Learner | None:
    called = [learner.preferred_given_name] if learner.preferred_given_name else []
    called += tables.nicknames().get(learner.given_name, [])
    # The first is twice as usual as the second.
    return learner._replace(given_name=called[int(draw() * draw() * len(called))]) if called else None


def _previous(learner: Learner, draw) -> Learner | None:
    known = [name for name in (learner.previous_family_name, learner.family_name_at_age16) if name]
    return learner._replace(family_name=_one(draw, known)) if known else None


def _swapped(learner: Learner, draw) -> Learner | None:
    if names.fold(learner.given_name) == names.fold(learner.family_name):
        return None
    return learner._replace(given_name=learner.family_name, family_name=learner.given_name)


def _exchanged(learner: Learner, draw) -> Learner | None:
    year, month, day = learner.date_of_birth.split("-")
    return learner._replace(date_of_birth=f"{year}-{day}-{month}") if month != day and day <= "12" else None


def _digit(learner: Learner, draw) -> Learner | None:
    date = learner.date_of_birth
    for _ in range(50):
        place = _one(draw, (2, 3, 5, 6, 8, 9))
        slipped = date[:place] + _one(draw, "0123456789") + date[place + 1 :]
        if slipped != date and f"{YEAR - 105}" < slipped < f"{YEAR - 10}" and _is_real(slipped):
            return learner._replace(date_of_birth=slipped)
    return None


def _is_real(date: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(date))
    except ValueError:
        return False


def moved(learner: Learner, draw) -> Learner:
    """The learner at another postcode, as often as not in the same area."""
    area = tables.areas()[int(draw() * tables.SLOTS)]
    if draw() < 0.5:
        area = _by_town().get(learner.last_known_address_town, area)
    while (code := homes.postcode(draw, area)) == learner.last_known_post_code:
        pass
    return learner._replace(last_known_post_code=code)


@functools.cache
def _by_town() -> dict[str, tables.Area]:
    return {area.town: area for area in tables.areas()}


def _unknown_gender(learner: Learner, draw) -> Learner | None:
    return learner._replace(gender=_one(draw, "09")) if learner.gender in "12" else None


def _without(signs: Callable[[str], str]):
    def make(learner: Learner, draw) -> Learner | None:
        plain = learner._replace(given_name=signs(learner.given_name), family_name=signs(learner.family_name))
        return plain if plain != learner else None

    return make


def _unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.translate(_UNDECOMPOSED))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


KINDS = (
    Mistake("given name mistyped", "given name", _typed("given_name")),
    Mistake("given name misheard", "given name", _misheard("given_name")),
    Mistake("nickname", "given name", _nickname),
    Mistake("family name mistyped", "family name", _typed("family_name")),
    Mistake("family name misheard", "family name", _misheard("family_name")),
    Mistake("previous family name", "family name", _previous),
    Mistake("accents lost", "signs", _without(_unaccented)),
    Mistake("hyphen lost", "signs", _without(lambda text: text.replace("-", " "))),
    Mistake("apostrophe lost", "signs", _without(lambda text: text.replace("'", ""))),
    Mistake("names swapped", "order", _swapped),
    Mistake("day and month exchanged", "date", _exchanged),
    Mistake("digit of the date wrong", "date", _digit),
    Mistake("moved house", "postcode", moved),
    Mistake("gender not known", "gender", _unknown_gender),
)
"""Names are swapped after what is wrong with them: the order of this table is that in which two are made."""
