import re
import uuid

from firmware.base.tokens import Tokens
from firmware.runtime.memory import Memory


def memory(folder, seed=b"m"):
    return Memory(folder, Tokens(seed * 16))


def test_a_line_gets_an_identity_once_and_keeps_it(tmp_path):
    """RFC 5626 §4.1: the instance outlives a restart."""
    first = memory(tmp_path)
    user, instance = first.contact_user("desk"), first.instance_id("desk")
    assert first.changed
    assert (first.contact_user("desk"), first.instance_id("desk")) == (user, instance)
    first.file.save(first.kept)
    again = memory(tmp_path, b"other")
    assert (again.contact_user("desk"), again.instance_id("desk")) == (user, instance)
    assert not again.changed


def test_a04_a_contact_carries_at_least_64_bits(tmp_path):
    user = memory(tmp_path).contact_user("desk")
    assert re.fullmatch("[a-z2-7]{16}", user)


def test_the_instance_is_a_random_uuid(tmp_path):
    """RFC 4122 §4.4."""
    instance = memory(tmp_path).instance_id("desk")
    assert instance.startswith("urn:uuid:")
    assert uuid.UUID(instance[9:]).version == 4


def test_two_lines_are_two_and_so_are_two_phones(tmp_path):
    one, other = memory(tmp_path), memory(tmp_path, b"other")
    users = {one.contact_user("a"), one.contact_user("b"), other.contact_user("a")}
    assert len(users) == 3


def test_a_folder_that_cannot_be_made_is_said_and_forgotten(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    lost = memory(tmp_path / "file" / "state")
    assert lost.contact_user("desk")
    assert len(caplog.records) == 1


def test_the_state_folder_is_private(tmp_path):
    memory(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
