"""How the term of an adverse event is compared with the known ones."""

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import chain
from types import MappingProxyType

from lenadose.record.event_terms import (
    KNOWN_TERMS,
    MEASURED,
    NAMES_OF_KINDS,
    OTHER_THINGS,
    OTHER_WORDS,
    SUSPECTED,
)
from lenadose.record.other_names import OTHER_NAMES, THROMBOSES
from lenadose.terms.errors import Fault, describe

CLOSE = 0.83
"""How alike, as difflib counts, a word is to one of a known name to be a typing error."""

DASHES = (
    r"\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2043\u2212"
    r"\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u301c\u3030\u30a0"
)
"""Every dash, as the members of a class in a regular expression."""
_DASH = re.compile(f"[{DASHES}]")

_SUSPICION = re.compile(
    "(suspected|susp|suspicion (of|for)|suspicious for|possible|probable|likely|presumed|query"
    "|rule out|r o) "
)
_BRITISH = (
    (re.compile(r"(?<![a-np-z])oedema"), "edema"),
    (re.compile("haem"), "hem"),
    (re.compile("aemi"), "emi"),
    (re.compile("paenia"), "penia"),
    (re.compile("rrhoea"), "rrhea"),
    (re.compile("aesthesia"), "esthesia"),
    (re.compile("neurone"), "neuron"),
    (re.compile("alis(?=ed|ation)"), "aliz"),
    (re.compile("fibre"), "fiber"),
)
_WORDS = MappingProxyType(
    {
        **dict.fromkeys(
            ("raised", "elevated", "elevation", "high", "increase", "rise"), "increased"
        ),
        **dict.fromkeys(("reduced", "low", "lowered", "decrease"), "decreased"),
        **dict.fromkeys(("embolus", "emboli", "embolisms"), "embolism"),
        **dict.fromkeys(("thrombus", "thrombi", "thromboses"), "thrombosis"),
        **dict.fromkeys(("infarct", "infarcts", "infarctions"), "infarction"),
        "clots": "clot",
        "bleed": "bleeding",
        "rashes": "rash",
        "periods": "period",
        "pregnancies": "pregnancy",
        "neuropathies": "neuropathy",
    }
)
"""Words for the same thing, and plurals, beside the one in which names are compared."""


def event_name(term: str) -> str:
    """Return a term as the criteria know it.

    Compared are terms after NFKC and case folding, with every dash as a hyphen and every run of
    blanks as one.
    """
    if term.isascii():
        return " ".join(term.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", term).casefold())
    return " ".join(_DASH.sub("-", folded).split())


# Comparing a term with all known ones takes as long as reading the rest of a visit.
@lru_cache(maxsize=1024)
def term_fault(term: str) -> Fault | None:
    """Return why no event can be recorded under a term, or None if one can.

    Refused are low results, known terms under another name, kinds and near misses of them.
    """
    name = event_name(term)
    if name in KNOWN_TERMS:
        return None
    words = _spell(name)
    keys = _keys(words)
    if not keys.isdisjoint(_all_keys(OTHER_THINGS)):
        return None
    for quantity, names in MEASURED.items():
        if not keys.isdisjoint(_all_keys(names)):
            fix = f"give the result, as {quantity}"
            return Fault("term", f"{describe(name)} is graded differently by each edition", fix)
    if _is_suspicion(name):
        reason = f"{describe(name)} is known here by another name"
        return Fault("term", reason, f'write "{SUSPECTED}"')
    if known := _known_as(words):
        reason = f"{describe(name)} is known here by another name"
        return Fault("term", reason, f"write {_either(known)}")
    if known := _kind_of(words):
        reason = f"{describe(name)} is a kind of a known term"
        fix = f"write {_either(known)}, or other words for another thing"
        return Fault("term", reason, fix)
    if near := _near(words):
        return Fault("term", f"unknown term {describe(name)}", f"did you mean {near}?")
    return None


def _is_suspicion(name: str) -> bool:
    """Return whether a term names a thromboembolism that is only suspected: "DVT?"."""
    words = _spell(name)
    prefix = _SUSPICION.match(words)
    if prefix is None and "?" not in name:
        return False
    rest = words[prefix.end() :] if prefix else words
    suspected = _known_as(rest) or _kind_of(rest)
    return suspected in [terms for terms, _ in THROMBOSES]


def _known_as(words: str) -> tuple[str, ...]:
    """Return the known terms that words are a name of."""
    names = _names()
    return next((names[key] for key in _keys(words) if key in names), ())


def _kind_of(words: str) -> tuple[str, ...]:
    """Return the known terms that words name a kind of."""
    phrases = _all_phrases()
    return next((_known_as(phrase) for phrase in phrases if f" {phrase} " in f" {words} "), ())


@cache
def _all_phrases() -> tuple[str, ...]:
    return tuple(map(_spell, NAMES_OF_KINDS))


def _spell(name: str) -> str:
    """Return the words of a name without punctuation and accents, in American spelling.

    Of words for the same thing it is always the same one.
    """
    name = name.replace("œ", "oe").replace("æ", "ae").replace("&", " and ")
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(" " if not c.isalnum() else c for c in plain if not unicodedata.combining(c))
    for british, american in _BRITISH:
        plain = british.sub(american, plain)
    return " ".join(_WORDS.get(word, word) for word in plain.split())


def _keys(words: str) -> frozenset[str]:
    """Return what words are compared by: without blanks, and in alphabetical order."""
    parts = words.split()
    return frozenset({"".join(parts), " ".join(sorted(parts))})


@cache
def _all_keys(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(key for name in names for key in _keys(_spell(name)))


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Return the known terms by the keys of each of their names."""
    return {key: known for known, name in _all_names() for key in _keys(_spell(name))}


def _all_names() -> Iterator[tuple[tuple[str, ...], str]]:
    for term in KNOWN_TERMS:
        yield (term,), term
    for known, names in OTHER_NAMES:
        for name in names:
            yield known, name


def _near(words: str) -> str | None:
    """Return what words are a near miss of: each word is the same, or a long one nearly."""
    parts = words.split()
    near = (meant for meant, name in _names_of_length(len(parts)) if _is_near(parts, name))
    return next(near, None)


@cache
def _names_of_length(length: int) -> list[tuple[str, list[str]]]:
    """Return the words of each name of so many words, beside what to write in its place."""
    low = (
        (f"the result, to be given as {quantity}", name)
        for quantity, names in MEASURED.items()
        for name in names
    )
    known = ((_either(terms), name) for terms, name in _all_names())
    spelled = ((meant, _spell(name).split()) for meant, name in chain(low, known))
    return [(meant, parts) for meant, parts in spelled if len(parts) == length]


def _is_near(words: list[str], name: list[str]) -> bool:
    return all(
        word == other or _is_typing_error(word, other)
        for word, other in zip(words, name, strict=True)
    )


def _is_typing_error(word: str, other: str) -> bool:
    """Return whether a word is a long one with a letter or two wrong."""
    if word in OTHER_WORDS:
        return False
    both = len(word) + len(other)
    is_long = min(len(word), len(other)) >= 5 and abs(len(word) - len(other)) <= 2
    # A letter of only one of the two matches nothing; to count these takes far less time.
    return (
        is_long
        and len(set(word) ^ set(other)) <= (1 - CLOSE) * both
        and bool(get_close_matches(word, (other,), 1, CLOSE))
    )


def _either(terms: tuple[str, ...]) -> str:
    return " or ".join(f'"{term}"' for term in terms)
