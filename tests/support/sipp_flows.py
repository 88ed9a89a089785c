"""The flows of RFC 3665, RFC 5359 and RFC 5589, and the scenario files that play them."""

from dataclasses import dataclass

_NO_FOCUS = "the phone mixes, but is no focus that says so and takes Join (RFC 4579, RFC 3911)"


@dataclass(frozen=True)
class Flow:
    """`roles` is what the phone is, `why` what it is not, in words."""

    rfc: str
    section: str
    files: tuple[str, ...] = ()
    roles: str = ""
    why: str = ""


def _flow(rfc: str, section: str, names: str = "", roles: str = "", why: str = "") -> Flow:
    files = tuple(f"{rfc}/{name}" for name in names.split())
    return Flow(rfc, section, files, roles, why)


_3665 = (
    ("2.1", "2_1_phone_registers", "Bob"),
    ("2.2", "2_2_phone_updates", "Bob"),
    ("2.3", "", "", "a phone keeps a binding of its own and asks for the list with that"),
    ("2.4", "2_4_phone_leaves", "Bob"),
    ("2.5", "2_5_phone_is_refused", "Bob"),
    ("3.1", "3_1_phone_calls 3_1_phone_is_called", "Alice, Bob"),
    ("3.2", "3_2_phone_calls 3_2_phone_is_called", "Alice, Bob"),
    ("3.3", "3_3_phone_calls", "Alice", "Bob is as in 3.2"),
    ("3.4", "3_4_phone_calls", "Alice", "Bob is as in 3.1"),
    ("3.5", "3_5_phone_calls", "Alice", "Bob is as in 3.1"),
    ("3.6", "3_6_redirect 3_6_proxy 3_6_phone_is_called", "Alice, Bob"),
    ("3.7", "3_7_phone_is_called 3_7_new_place 3_7_phone_moves a_call_that_stays", "Alice, Bob"),
    ("3.8", "3_8_phone_calls 3_8_phone_is_called", "Alice, Bob"),
    ("3.9", "3_9_phone_calls 3_9_phone_is_called", "Alice, Bob"),
    ("3.10", "3_10_phone_calls", "Alice", "Bob says nothing"),
    ("3.11", "3_11_phone_calls", "Alice", "the proxy speaks for Bob"),
)
_5359 = (
    ("2.1", "2_1_phone_holds 2_1_phone_is_held", "Bob, Alice"),
    ("2.2", "2_2_alice 2_2_carol", "Bob", "Alice and Carol are as in 2.1 and RFC 3665 3.1"),
    (
        "2.3",
        "2_3_bob 2_3_music 2_3_bob_again",
        "Alice",
        "as Bob it would refer a music server outside of any call, which no key asks for",
    ),
    ("2.4", "2_4_alice 2_4_bob 2_4_carol 2_4_phone_is_carol", "Alice, Bob, Carol"),
    (
        "2.5",
        """2_5_alice 2_5_bob 2_5_carol 2_5_phone_consults 2_5_phone_is_carol_alice
        2_5_phone_is_carol_bob""",
        "Alice, Bob, Carol",
    ),
    ("2.6", "2_6_bob 2_6_carol 2_6_phone_tells", "Alice, Bob"),
    ("2.7", "2_7_phone_calls", "Alice", "the proxy forwards"),
    ("2.8", "2_8_phone_calls 2_8_phone_is_b1", "Alice, B1"),
    ("2.9", "2_9_phone_calls 2_9_phone_is_b1", "Alice, B1"),
    (
        "2.10",
        "2_10_phone_is_alice 2_10_phone_is_carol 2_10_phone_is_bob_carol",
        "Alice, Bob, Carol",
        _NO_FOCUS,
    ),
    ("2.11", "2_11_phone_is_alice 2_11_phone_is_carol", "Alice, Carol", _NO_FOCUS),
    ("2.12", "2_12_phone_calls 2_12_phone_is_b1", "Alice, B1"),
    ("2.13", "2_13_bob 2_13_proxy", "Alice", "the proxy screens"),
    ("2.14", "2_14_proxy", "Alice", "the proxy screens"),
    (
        "2.15",
        "2_15_bob 2_15_park 2_15_carol 2_15_phone_is_carol_park 2_15_phone_is_carol_alice",
        "Alice, Carol",
        "as Bob it would refer a park server outside of any call, which no key asks for",
    ),
    ("2.16", "2_16_bob 2_16_alice 2_16_phone_is_alice_bob 2_16_phone_is_alice_bill", "Alice, Bill"),
    ("2.17", "2_17_bob_busy 2_17_bob_watched 2_17_bob_free", "Alice"),
    ("2.18", "2_18_pc 2_18_pc_may", "Bob", "the PC is no phone"),
)
_5589 = (
    (
        "6.1",
        """6_1_transferee_call 6_1_transferee_is_referred 6_1_transferor_call
        6_1_transferor_refers 6_1_target a19_invented_call""",
        "transferor, transferee",
        "the target is as in RFC 5359 2.4",
    ),
    (
        "6.2",
        "6_5_phone_is_refused a19_phone_is_asked_too_much",
        "transferor, transferee",
        "what goes well is RFC 5359 2.4",
    ),
    (
        "6.3.1",
        "6_3_phone_is_told_of_failure 6_3_phone_is_transferred_in_vain 6_3_target_is_busy",
        "transferor, transferee",
    ),
    ("6.3.2", "6_4_phone_hears_nothing_more", "transferor"),
    ("7.1", "", "", "its messages are those of RFC 5359 2.2 and of 6.1"),
    ("7.2", "", "", "its messages are those of 7.4 after the refusal, and RFC 5359 2.5 as Carol"),
    (
        "7.3",
        "7_3_transferee_is_referred 7_3_target",
        "transferor",
        "transferee and target are RFC 5359 2.5",
    ),
    ("7.4", "7_4_transferee 7_4_target", "transferor"),
    ("7.5", "7_5_transferee 7_5_target", "transferor"),
    ("7.6", "7_6_transferee 7_6_target", "transferor"),
    ("7.7", "7_7_transferee", "transferor", "the target is 7.5's"),
    ("8", "", "", "Referred-By is in RFC 5359 2.4; an authenticated identity body is not made"),
    ("9", "", "", _NO_FOCUS + ", as Alice and Carol in RFC 5359 2.10"),
    ("10", "", "", "several transfers one after the other, each of them RFC 5359 2.4"),
    ("11", "", "", "gateways"),
)

FLOWS: tuple[Flow, ...] = (
    *(_flow("rfc3665", *row) for row in _3665),
    *(_flow("rfc5359", *row) for row in _5359),
    *(_flow("rfc5589", *row) for row in _5589),
)
