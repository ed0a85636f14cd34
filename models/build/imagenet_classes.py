"""The 1,000 ImageNet classes in the order of the networks' outputs: a WordNet id and a unique English name for each.

The ids and lemmas are WordNet's (Princeton University), as listed in the package timm under data/_info.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import origins

SYNSETS = "timm/data/_info/imagenet_synsets.txt"
LEMMAS = "timm/data/_info/imagenet_synset_to_lemma.txt"

# WordNet uses one word for two classes here; the word in brackets follows WordNet's own definition.
SAME_WORD = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n02113186": "Cardigan (dog)",
    "n02963159": "cardigan (garment)",
    "n03710637": "maillot (tights)",
    "n03710721": "maillot (swimsuit)",
}


class ImageNetClass(NamedTuple):
    """One class: its WordNet id, such as n02123045, and its name, such as tabby."""

    id: str
    name: str


def read_classes(folder: Path = origins.DEFAULT_FOLDER) -> list[ImageNetClass]:
    """Read the classes in the order of the networks' outputs.

    Parameters
    ----------
    folder
        Where the origin packages are kept.

    Returns
    -------
    list of ImageNetClass
        1,000 classes. The name is WordNet's first lemma; no two are equal, upper and lower case apart.

    Raises
    ------
    ValueError
        If two classes come out with the same name.
    """
    wheel = origins.fetch(origins.TIMM, folder)
    ids = origins.read_member(wheel, SYNSETS).decode().split()
    lines = origins.read_member(wheel, LEMMAS).decode().splitlines()
    lemmas = dict(line.split("\t", maxsplit=1) for line in lines)
    classes = [ImageNetClass(id, SAME_WORD.get(id) or lemmas[id].split(",")[0].strip()) for id in ids]
    counts = Counter(c.name.casefold() for c in classes)
    repeated = sorted(name for name, times in counts.items() if times > 1)
    if repeated:
        raise ValueError(f"two classes have the same name: {', '.join(repeated)}. Tell them apart in SAME_WORD.")
    return classes
