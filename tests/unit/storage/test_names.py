"""The last good answers of name servers, in a file (F14)."""

import pytest

from firmware.storage.errors import StorageError
from firmware.storage.names import KeptAnswer, NamesFile

ANSWERS = (
    KeptAnswer("pbx.example", "A", ("192.0.2.1", "192.0.2.2"), 1000.0),
    KeptAnswer("_sip._udp.pbx.example", "SRV", ("10 0 5060 pbx.example.",), 900.5),
)


def test_f14_what_is_kept_is_there_after_a_restart(tmp_path):
    NamesFile(tmp_path / "names.json").save(ANSWERS)
    assert NamesFile(tmp_path / "names.json").load() == ANSWERS


def test_a_missing_file_is_an_empty_one(tmp_path):
    assert NamesFile(tmp_path / "names.json").load() == ()


@pytest.mark.parametrize(
    "content", [b"", b"[", b'{"name": 1}', b"[[[[" * 9999, b"\xff\xfe" * 300000]
)
def test_a_torn_file_is_set_aside(tmp_path, content):
    path = tmp_path / "names.json"
    path.write_bytes(content)
    assert NamesFile(path).load() == ()
    assert not path.exists()


def test_f05_a_full_disk_leaves_the_old_answers(tmp_path):
    file = NamesFile(tmp_path / "names.json")
    file.save(ANSWERS)

    class Full:
        def write(self, *_what):
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError):
        NamesFile(file.path, Full()).save(())
    assert file.load() == ANSWERS
