from firmware.base.tokens import SystemTokens, Tokens


def test_one_seed_gives_one_stream():
    one, two = Tokens(b"a" * 32), Tokens(b"a" * 32)
    assert [one.word(), one.octets(5), one.integer(7)] == [
        two.word(),
        two.octets(5),
        two.integer(7),
    ]
    assert Tokens(b"b" * 32).word() != Tokens(b"a" * 32).word()


def test_no_token_comes_twice():
    tokens = Tokens(b"a" * 32)
    assert len({tokens.word() for _ in range(1000)}) == 1000


def test_a_word_carries_its_bits():
    assert len(Tokens(b"a").word(80)) == 16
    assert len(Tokens(b"a").word(96)) == 20


def test_numbers_stay_within_their_bounds():
    tokens = Tokens(b"a" * 32)
    assert {tokens.integer(3) for _ in range(100)} == {0, 1, 2}
    assert all(0 <= tokens.fraction() < 1 for _ in range(100))


def test_tokens_of_the_system_are_what_it_gives():
    drawn = iter((b"\x01" * 16, b"\xff" * 16))
    tokens = SystemTokens(lambda length: next(drawn)[:length])
    assert tokens.integer(256) == 1
    assert tokens.octets(3) == b"\xff\xff\xff"
