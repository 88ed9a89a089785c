"""Header rows in order."""

from firmware.sip.message import Headers, Request


def rows() -> Headers:
    return Headers([("Via", "1"), ("To", "t"), ("via", "2"), ("X", "x")])


def test_names_compare_without_case():
    assert rows().get("VIA") == "1"
    assert rows().all("Via") == ["1", "2"]
    assert rows().get("From") is None
    assert "to" in rows()
    assert "from" not in rows()


def test_rows_are_added_in_front_and_behind():
    headers = rows()
    headers.prepend("Via", "0")
    headers.add("Y", "y")
    headers.prepend("Z", "z")
    assert next(iter(headers)) == ("Z", "z")
    assert headers.all("Via") == ["0", "1", "2"]
    assert list(headers)[-1] == ("Y", "y")
    assert len(headers) == 7


def test_set_leaves_one_row_in_the_place_of_the_first():
    headers = rows()
    headers.set("Via", "9")
    headers.set("New", "n")
    assert list(headers) == [("Via", "9"), ("To", "t"), ("X", "x"), ("New", "n")]


def test_remove_takes_every_row():
    headers = rows()
    headers.remove("VIA")
    assert list(headers) == [("To", "t"), ("X", "x")]


def test_a_copy_is_its_own():
    headers = rows()
    other = headers.copy()
    other.add("Y", "y")
    assert headers == rows()
    assert other != headers
    assert repr(Headers([("A", "b")])) == "Headers([('A', 'b')])"


def test_two_requests_do_not_share_headers():
    one, other = Request("BYE", "sip:a@b"), Request("BYE", "sip:a@b")
    one.headers.add("X", "y")
    assert len(other.headers) == 0
