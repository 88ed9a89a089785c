"""The functions of a SIM card against 3GPP's own numbers."""

import json
from pathlib import Path

import pytest

from firmware.sip.auth.milenage import encrypt, f1, f2345, opc_of

DATA = Path(__file__).parents[3] / "data" / "milenage" / "vectors.json"
SETS = json.loads(DATA.read_text(encoding="utf-8"))
octets = bytes.fromhex


@pytest.mark.parametrize("row", SETS, ids=lambda row: f"set {row['set']}")
def test_3gpp_ts_35_208(row):
    key, opc, rand = octets(row["k"]), octets(row["opc"]), octets(row["rand"])
    assert opc_of(key, octets(row["op"])) == opc
    macs = f1(key, opc, rand, octets(row["sqn"]), octets(row["amf"]))
    assert macs == (octets(row["f1"]), octets(row["f1_star"]))
    vector = f2345(key, opc, rand)
    assert (vector.res, vector.ck, vector.ik) == tuple(octets(row[n]) for n in ("f2", "f3", "f4"))
    assert (vector.ak, vector.ak_star) == (octets(row["f5"]), octets(row["f5_star"]))


def test_the_cipher_is_that_of_fips_197():
    """FIPS 197, appendix C.1."""
    key = octets("000102030405060708090a0b0c0d0e0f")
    block = octets("00112233445566778899aabbccddeeff")
    assert encrypt(key, block) == octets("69c4e0d86a7b0430d8cdb78070b4c55a")
