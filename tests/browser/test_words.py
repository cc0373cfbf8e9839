"""Every sentence of the pages has words in every language."""

from lineset.pages.common.words import LANGUAGES

from tests.words import missing, sentences


def test_every_sentence_is_translated() -> None:
    assert len(list(sentences())) > 500, "the sentences are found where they stand"
    for language in LANGUAGES:
        assert language == "en" or missing(language) == []
