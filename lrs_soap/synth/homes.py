"""Addresses, and the families at them: which names they have, and which they give."""

from lrs_soap.synth import tables

SLOTS = tables.SLOTS
_UNITS = "ABDEFGHJLNPQRSTUWXYZ"
_STREETS = (
    "High Street;Station Road;Church Lane;Victoria Road;Mill Lane;Park Avenue;Manor Road;Church Street;The Avenue;"
    "Queens Road;New Road;Grange Road;Kings Road;Windsor Road;York Road;Springfield Road;George Street;Park Road;"
    "Albert Road;School Lane;The Crescent;Chapel Lane;North Street;Green Lane;Highfield Road;The Grove;Oak Drive;"
    "Meadow Close;St Mary's Close;Beech Road;Elm Court;Alexandra Road;Orchard Way;Cedar Gardens;Brook Street;"
    "Nelson Terrace;Wellington Street;Kingsway;Hawthorn Close;Poplar Walk"
).split(";")
BRITISH = frozenset({"english", "scottish", "welsh", "irish"})
_RARE = 0.6
"""Of four in ten of the British the family name is one of the few hundred commonest."""
_WOMEN = {"sikh": "Kaur", "pakistani": "Bibi", "bangladeshi": "Begum"}
_SECOND = ("Mae", "Rose", "Marie", "Louise", "Grace", "Leigh", "Jane", "Ann")


class Home:
    """A family's address and community, and what it draws for its members."""

    __slots__ = ("draw", "area", "community", "sons", "daughters", "line", "postcode")

    def __init__(self, draw):
        self.draw = draw
        self.area = area = tables.areas()[int(draw() * SLOTS)]
        self.community = tables.communities()[area.kind][int(draw() * SLOTS)]
        self.sons, self.daughters = self.family_names()
        self.line = f"{1 + int(draw() * draw() * 190)} {_STREETS[int(draw() * draw() * len(_STREETS))]}"
        self.postcode = postcode(draw, area)

    def family_names(self) -> tuple[str, str]:
        """A name as sons and as daughters bear it."""
        draw, community = self.draw, self.community
        sons, daughters = tables.family()[community][int(draw() * SLOTS)]
        if community in BRITISH:
            if draw() < _RARE:
                beginnings, endings = tables.rare()
                sons = daughters = beginnings[int(draw() * SLOTS)] + endings[int(draw() * SLOTS)]
            if draw() < 0.025:
                other = tables.family()[community][int(draw() * SLOTS)][0]
                sons = daughters = f"{sons}-{other}"
        elif community in _WOMEN and draw() < 0.45:
            daughters = _WOMEN[community]
        return sons, daughters

    def given_name(self, gender: str, born: int, taken=()) -> str:
        """A given name of the time that no brother or sister has."""
        draw = self.draw
        # Some give their children the names of their neighbours.
        community = self.community if draw() < 0.96 else "english"
        lists = tables.given()[community, gender]
        drawn = lists[0][1]
        for year, later in lists:
            if year <= born:
                drawn = later
        while (name := drawn[int(draw() * SLOTS)]) in taken:
            pass
        if gender == "f" and community == "english" and draw() < 0.02 and "-" not in name:
            name = f"{name}{'- '[draw() < 0.3]}{_SECOND[int(draw() * len(_SECOND))]}"
        return name


def postcode(draw, area: tables.Area) -> str:
    """A postcode of the area; some 160 units in each of its sectors."""
    if draw() < 0.001:
        return f"BFPO {1 + int(draw() * 800)}"
    unit = _UNITS[int(draw() * 20)] + _UNITS[int(draw() * 8)]
    return f"{area.letters}{1 + int(draw() * area.districts)} {1 + int(draw() * 5)}{unit}"
