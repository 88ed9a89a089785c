"""Response codes."""

from firmware.sip.status import Status, phrase_for


def test_a_status_is_its_number_and_says_what_it_means():
    assert Status(486) is Status.BUSY_HERE
    assert Status.BUSY_HERE == 486
    assert Status.BUSY_HERE.phrase == "Busy Here"
    assert Status.BUSY_HERE.description == "this phone is busy"


# What the registry of response codes holds, by the RFC that put it there.
REGISTERED = {
    3261: (
        *(100, 180, 181, 182, 183, 200, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406),
        *(407, 408, 410, 413, 414, 415, 416, 420, 421, 423, 480, 481, 482, 483, 484, 485, 486, 487),
        *(488, 491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606),
    ),
    3312: (580,),
    3329: (494,),
    3892: (429,),
    3903: (412,),
    4028: (422,),
    4412: (417,),
    5079: (433,),
    5360: (470,),
    5393: (440,),
    5626: (430, 439),
    5839: (204,),
    6086: (469,),
    6228: (199,),
    6442: (424,),
    6665: (202, 489),
    8197: (607,),
    8224: (428, 436, 437, 438),
    8599: (555,),
    8688: (608,),
    8876: (425,),
}


def test_it_is_the_whole_registry():
    registered = [code for codes in REGISTERED.values() for code in codes]
    assert sorted(registered) == sorted(map(int, Status))


def test_every_status_has_a_phrase_and_a_sentence_and_a_class():
    assert len(Status) == 75
    for status in Status:
        assert 100 <= status <= 699
        assert status.phrase[0].isupper()
        assert status.description
        assert not status.description.endswith(".")


def test_an_unknown_code_reads_like_the_first_of_its_class():
    assert phrase_for(404) == "Not Found"
    assert phrase_for(499) == "Bad Request"
    assert phrase_for(299) == "OK"
    assert phrase_for(699) == "Busy Everywhere"
    assert phrase_for(42) == "Unknown"
