import pytest

from firmware.web.access import SESSION_LIMIT, Access, TooManyTriesError, new_token


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def access(clock):
    return Access("right", clock)


def test_tokens_are_long_and_never_the_same():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32


def test_the_right_token_opens_a_session(access):
    session = access.exchange("right", "127.0.0.1")
    assert access.knows(session)


def test_every_exchange_gives_a_session_of_its_own(access):
    assert access.exchange("right", "127.0.0.1") != access.exchange("right", "127.0.0.1")


@pytest.mark.parametrize("wrong", ["", "wrong", "righ", "rightt", "réght"])
def test_a_wrong_token_opens_nothing(wrong, access):
    assert access.exchange(wrong, "127.0.0.1") is None
    assert not access.knows(wrong)


def test_no_session_is_no_session(access):
    assert not access.knows("")


def test_whoever_guesses_must_wait_longer_each_time(access, clock):
    waits = []
    for _ in range(12):
        while True:
            try:
                access.exchange("guess", "127.0.0.1")
                break
            except TooManyTriesError as error:
                waits.append(error.seconds)
                clock.now += error.seconds
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_while_one_waits_even_the_right_token_is_not_heard(access):
    for _ in range(4):
        access.exchange("guess", "127.0.0.1")
    with pytest.raises(TooManyTriesError):
        access.exchange("right", "127.0.0.1")
    assert access.exchange("right", "127.0.0.2")


def test_the_right_token_forgives_the_wrong_ones(access):
    for _ in range(3):
        access.exchange("guess", "127.0.0.1")
    access.exchange("right", "127.0.0.1")
    for _ in range(3):
        assert access.exchange("guess", "127.0.0.1") is None


def test_the_session_that_was_unused_for_longest_ends_first(access):
    first, second = (access.exchange("right", "127.0.0.1") for _ in range(2))
    for _ in range(SESSION_LIMIT - 1):
        assert access.knows(first)
        access.exchange("right", "127.0.0.1")
    assert access.knows(first)
    assert not access.knows(second)


def test_ten_thousand_visitors_do_not_fill_the_memory(access):
    for number in range(10_000):
        access.exchange("guess", f"10.0.{number // 256}.{number % 256}")
        access.exchange("right", "127.0.0.1")
    assert len(access) <= SESSION_LIMIT + 256
