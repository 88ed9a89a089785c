"""Our own certificate is about to end (F27)."""

from firmware.phone.view import Notice
from firmware.sip.notifications import CertificateEnds
from tests.support.desk import Desk

FILE = "/etc/deskphone/own.pem"


def test_f27_the_resting_screen_says_so_until_it_is_renewed():
    desk = Desk()
    before = desk.view.notice
    desk.send(CertificateEnds(FILE, 12))
    said = desk.view.notice
    assert said == Notice("certificate_ends", (("file", "own.pem"), ("days", "12")))
    desk.send(CertificateEnds(FILE, 300))
    assert desk.view.notice == before


def test_f27_in_a_call_there_is_no_place_for_it():
    desk = Desk().talking()
    desk.send(CertificateEnds(FILE, 12))
    assert desk.view.notice is None or desk.view.notice.text != "certificate_ends"
