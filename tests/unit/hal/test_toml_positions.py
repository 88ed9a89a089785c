"""Each key's line, however the file is written."""

import pytest

from hal.toml_positions import MOST_NAMES, Positions, dotted, endless_key

TEXT = '''\
top = 1
[phone]            # [not.a.table]
"country" = "US"
emergency = [      # a list
  "112",
  "[x]",
]
note = """
language = "no key"
"""
language = "en"
[[line]]
user = "1"
tls.ca = "x"
[line.tls]
verify = true
[[line]]
user = "2"
  [line.tls]
  verify = false
[a."b.c".'d']
e = \'\'\'
f = 1 \'\'\'
g = { h = 1 }
i = "\\"""
j = 2
'''

ROWS = [
    (("top",), 1),
    (("phone",), 2),
    (("phone", "country"), 3),
    (("phone", "emergency"), 4),
    (("phone", "emergency", 1), 4),
    (("phone", "note"), 8),
    (("phone", "language"), 11),
    (("line", 0), 12),
    (("line", 0, "user"), 13),
    (("line", 0, "tls", "ca"), 14),
    (("line", 0, "tls", "verify"), 16),
    (("line", 1), 17),
    (("line", 1, "user"), 18),
    (("line", 1, "tls"), 19),
    (("line", 1, "tls", "verify"), 20),
    (("a", "b.c", "d", "e"), 22),
    (("a", "b.c", "d", "g", "h"), 24),
    (("a", "b.c", "d", "f"), 21),
    (("line", 7, "user"), 12),
    (("nowhere",), 0),
    ((), 0),
]


@pytest.mark.parametrize(("path", "line"), ROWS)
def test_each_key_has_its_line(path, line):
    assert Positions(TEXT).line_of(path) == line


@pytest.mark.parametrize(
    "text",
    [
        "x = " + '"' + '\\"' * 120_000,
        "x = '" + "' '" * 80_000,
        "a" + ".a" * 120_000 + " = 1",
        "[" + "a." * 120_000 + "a]\nb = 1",
        'x = """' + '""\\"' * 60_000,
    ],
    ids=lambda text: text[:9],
)
def test_a_text_that_nobody_wrote_by_hand_is_looked_at_once(text):
    """The first of these took a quarter of an hour, and some all the memory there is."""
    assert Positions(text + "\n[hook]\npin = 4").line_of(("nowhere",)) == 0


def test_the_longest_key_is_found_before_anybody_reads_it():
    names = ".".join(["a"] * MOST_NAMES)
    for text in (f"{names} = 1", f"[{names}]", f"x = {{{names} = 1}}", f'x = "{names}.a"'):
        assert endless_key(text) == 0, text
    for text in (f"{names}.a = 1", f'["b" . {names}]', f"x = {{{names} . 'c' = 1}}"):
        assert endless_key(f"\n{text}\n") == 2, text


def test_a_path_reads_as_a_person_writes_it():
    assert dotted(("line", 0, "tls", "ca")) == "line[1].tls.ca"
    assert dotted(()) == ""
