"""Files on disk: complete before anybody knows of them, and never outside their folder."""

import hashlib
import io

import pytest

from app.files import storage
from app.files.errors import FileEmpty, FileTooLarge


class Breaking(io.BytesIO):
    """An upload whose connection is lost after the first part."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise ConnectionError("lost")
        return super().read(3)


class Endless(io.RawIOBase):
    """An upload that never ends; counts what was taken of it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b"x" * size


def test_a_file_is_written_with_both_digests(tmp_path):
    written = storage.write_incoming(tmp_path, io.BytesIO(b"abc"), 10)

    assert written.path.read_bytes() == b"abc"
    assert written.size == 3
    assert written.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert written.sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.parametrize(("size", "fits"), [(1, True), (999, True), (1000, True), (1001, False)])
def test_the_limit_is_exact(tmp_path, size, fits):
    stream = io.BytesIO(b"x" * size)

    if fits:
        assert storage.write_incoming(tmp_path, stream, 1000).size == size
    else:
        with pytest.raises(FileTooLarge):
            storage.write_incoming(tmp_path, stream, 1000)
        assert list((tmp_path / "incoming").iterdir()) == []


def test_no_more_is_read_than_shows_that_it_is_too_large(tmp_path):
    stream = Endless()

    with pytest.raises(FileTooLarge):
        storage.write_incoming(tmp_path, stream, 3 * 2**20)

    assert stream.taken == 3 * 2**20 + 1


@pytest.mark.parametrize(
    ("stream", "error"), [(io.BytesIO(b""), FileEmpty), (Breaking(b"abcdef"), ConnectionError)]
)
def test_an_empty_or_broken_upload_leaves_nothing(tmp_path, stream, error):
    with pytest.raises(error):
        storage.write_incoming(tmp_path, stream, 10)

    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_kept_file_lies_two_folders_deep_under_a_random_name(tmp_path):
    names = set()
    for _ in range(3):
        written = storage.write_incoming(tmp_path, io.BytesIO(b"abc"), 10)
        names.add(storage.keep(tmp_path, written.path))
        assert not written.path.exists()

    assert len(names) == 3
    for name in names:
        assert storage.locate(tmp_path, name) == tmp_path / name[:2] / name[2:4] / name
        assert storage.locate(tmp_path, name).read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 31, "A" * 32, "/" * 32, "." * 32])
def test_nothing_but_a_storage_name_is_looked_up(tmp_path, name):
    with pytest.raises(ValueError, match="storage name"):
        storage.locate(tmp_path, name)


def test_discarding_twice_is_fine(tmp_path):
    written = storage.write_incoming(tmp_path, io.BytesIO(b"abc"), 10)
    name = storage.keep(tmp_path, written.path)

    storage.discard(tmp_path, name)
    storage.discard(tmp_path, name)

    assert not storage.locate(tmp_path, name).exists()
