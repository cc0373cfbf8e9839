"""The policy and the terms: made from the declarations, published in versions, accepted with receipts."""

from lineset.privacy.policy.changes import Change, Difference, Piece, differences, significant, told
from lineset.privacy.policy.document import Draft, Kind, compose, kept_promises, sentences
from lineset.privacy.policy.facts import Contact, Facts, Processor, categories_in_use, facts_of, gaps, holders_of
from lineset.privacy.policy.statute import LETTERS, STATUTORY
from lineset.privacy.policy.versions import (
    Act,
    Head,
    Receipt,
    Version,
    acknowledge,
    awaiting,
    current,
    done_telling,
    get_version,
    list_versions,
    publish,
    receipts,
)
from lineset.privacy.policy.words import Grid, Line, Part, Speaker, Text, category_words, keeping, purpose_title

__all__ = [
    "LETTERS",
    "STATUTORY",
    "Act",
    "Change",
    "Contact",
    "Difference",
    "Draft",
    "Facts",
    "Grid",
    "Head",
    "Kind",
    "Line",
    "Part",
    "Piece",
    "Processor",
    "Receipt",
    "Speaker",
    "Text",
    "Version",
    "acknowledge",
    "awaiting",
    "categories_in_use",
    "category_words",
    "compose",
    "current",
    "differences",
    "done_telling",
    "facts_of",
    "gaps",
    "get_version",
    "holders_of",
    "keeping",
    "kept_promises",
    "list_versions",
    "publish",
    "purpose_title",
    "receipts",
    "sentences",
    "significant",
    "told",
]
