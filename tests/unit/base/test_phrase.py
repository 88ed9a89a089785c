"""A sentence before it has words."""

from firmware.base.phrase import Phrase, phrase


def test_arguments_keep_their_order_and_become_text():
    assert phrase("x", count=3, of=None).args == (("count", "3"), ("of", "None"))


def test_a_phrase_within_a_phrase_stays_one():
    inner = Phrase("inner")

    assert phrase("outer", what=inner).args == (("what", inner),)


def test_equal_phrases_are_equal_values():
    assert phrase("x", a=1) == phrase("x", a="1")
    assert len({phrase("x", a=1), phrase("x", a=1)}) == 1


def test_without_words_it_still_tells_what_it_is():
    assert str(phrase("outer", what=phrase("inner", a=1), b=2)) == "outer what=inner a=1 b=2"
