"""British spellings to American ones, by kinds of ending and a list of words of their own.

Applied to both texts, so a word that is changed without need is changed on both sides.
"""

from __future__ import annotations

import re
from functools import lru_cache


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_OUR = _listed(
    "arbour ardour armour behaviour candour clamour colour demeanour dolour enamour endeavour favour fervour "
    "flavour glamour harbour honour humour labour misdemeanour neighbour odour parlour rancour rigour rumour "
    "saviour savour splendour succour tumour valour vapour vigour"
)
_RE = _listed("calibre centre fibre litre lustre meagre metre mitre sabre sceptre sombre spectre theatre")
_DOUBLED = _listed(
    "bevel cancel channel chisel counsel cudgel dial dishevel drivel duel enamel equal fuel gambol gravel grovel "
    "imperil initial jewel kennel label level libel marshal marvel model panel pedal pencil quarrel refuel revel "
    "rival shovel shrivel signal snivel spiral stencil swivel total towel travel tunnel unravel yodel"
)
_NOT_ISE = _listed(
    "advert adv ar appr ar br chast circumc compr comprom conc cru dem dev desp disgu enterpr exc exerc expert "
    "franch improv inc l lia like merchand no otherw parad pa po pra prec prem prom ra rev r superv surm surpr "
    "telev treat tur w bru antic"
)
_WORDS = {
    "aeroplane": "airplane", "ageing": "aging", "aluminium": "aluminum", "artefact": "artifact", "axe": "ax",
    "cheque": "check", "cosy": "cozy", "defence": "defense", "draught": "draft", "encyclopaedia": "encyclopedia",
    "enrol": "enroll", "fulfil": "fulfill", "gaol": "jail", "grey": "gray", "instalment": "installment",
    "jewellery": "jewelry", "judgement": "judgment", "acknowledgement": "acknowledgment", "kerb": "curb",
    "licence": "license", "manoeuvre": "maneuver", "mould": "mold", "moult": "molt", "moustache": "mustache",
    "offence": "offense", "omelette": "omelet", "plough": "plow", "practise": "practice", "pretence": "pretense",
    "programme": "program", "pyjamas": "pajamas", "sceptic": "skeptic", "sceptical": "skeptical",
    "skilful": "skillful", "smoulder": "smolder", "storey": "story", "sulphur": "sulfur", "tyre": "tire",
    "wilful": "willful", "woollen": "woolen", "yoghurt": "yogurt", "mediaeval": "medieval",
    "catalogue": "catalog", "dialogue": "dialog", "analogue": "analog", "ok": "okay",
}  # fmt: skip
_INFLECTED = ("s", "d", "ed", "ing", "r", "rs")
_GREEK_STEMS = _listed(
    "anaem anaesth archaeo diarrhoea foet gynaeco haem leukaem oesoph oestro orthopaed paediat palaeo"
)
_ISE = re.compile(r"^(.+)is(e|ed|es|er|ers|ing|ation|ations|ational)$")
_YSE = re.compile(r"^(anal|paral|catal|electrol|hydrol|dial)ys(e|ed|er|ers|es|ing)$")
_LL = re.compile(r"^(" + "|".join(_DOUBLED) + r")l(ed|er|ers|ing|ings)$")


@lru_cache(maxsize=200_000)
def american(word: str) -> str:
    """One lower-case word."""
    if word in _WORDS:
        return _WORDS[word]
    for ending in _INFLECTED:
        stem = word[: -len(ending)]
        if word.endswith(ending) and stem in _WORDS:
            other = _WORDS[stem]
            return (other[:-1] if other.endswith("e") and ending[0] in "ei" else other) + ending
    for stem in _OUR:
        if word.startswith(stem) or word.startswith(("dis" + stem, "un" + stem)):
            return word.replace("our", "or", 1) if "our" in stem else word
    return _by_ending(word)


def _by_ending(word: str) -> str:
    for stem in _RE:
        at = word.find(stem)
        if at >= 0 and word[at:] in (stem, stem + "s", stem + "d"):
            return word[:at] + stem[:-2] + "er" + ("ed" if word.endswith("d") else word[at + len(stem) :])
    if (match := _LL.match(word)) is not None:
        return match[1] + match[2]
    if (match := _YSE.match(word)) is not None:
        return f"{match[1]}yz{match[2]}"
    for stem in _GREEK_STEMS:
        if word.startswith(stem):
            return re.sub("ae|oe", "e", word, count=1) if stem != "oestro" else "e" + word[2:]
    match = _ISE.match(word)
    if (
        match is not None
        and len(match[1]) > 2
        and match[1] not in _NOT_ISE
        and not match[1].endswith(("w", "a", "o", "u"))
    ):
        return f"{match[1]}iz{match[2]}"
    return word
