"""Files that are not the dataset's own: never copied unseen, and no device ever read."""

import os

import pytest
from PIL import Image

from adc_core import InputError
from adc_core.cli import main
from adc_core.images.sequence import ImageFiles

# The command prints warnings; the suite would raise them.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def places(tmp_path):
    """A list of images beside a key and an image that nobody should get."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "id_rsa").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "secret" / "me.png")
    (tmp_path / "data").mkdir()
    for name, value in (("0.png", 40), ("1.png", 80)):
        Image.new("RGB", (8, 8), (value, 0, 0)).save(tmp_path / "data" / name)
    return tmp_path


def export(dataset, to, form="image-folder"):
    return main(["export", str(dataset), "--as", form, "--to", str(to)])


def test_a_list_cannot_carry_other_files_away(places, capsys):
    (places / "data" / "list.csv").write_text(
        "path,label\n0.png,a\n1.png,b\n../secret/id_rsa,b\n../secret/me.png,a\n/dev/zero,b\n"
    )
    assert export(places / "data" / "list.csv", places / "out") == 0
    assert f"adc: warning: 1 of 3 images are outside {places / 'data'} and are copied too, " in (
        told := capsys.readouterr().err
    )
    assert "such as ../secret/me.png: look whether they are meant\n" in told
    assert not [path for path in (places / "out").rglob("*") if "rsa" in path.name]


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_links_of_a_folder_are_told(places, capsys):
    for name in ("a", "b"):
        (places / "tree" / name).mkdir(parents=True)
        (places / "data" / "0.png").rename(places / "tree" / name / "own.png")
        Image.new("RGB", (8, 8)).save(places / "data" / "0.png")
    (places / "tree" / "a" / "linked.png").symlink_to(places / "secret" / "me.png")
    (places / "tree" / "c").symlink_to(places / "data", target_is_directory=True)
    os.mkfifo(places / "tree" / "b" / "fifo.jpg")
    assert export(places / "tree", places / "out") == 0
    told = capsys.readouterr().err
    assert f"3 of 5 images are outside {places / 'tree'} and are copied too" in told
    assert "b/fifo.jpg (unreadable)" in told


@pytest.mark.parametrize(
    ("name", "message"),
    [("id_rsa", "is not an image: replace or remove it"), ("zero", "is not a file: remove it")],
)
def test_python_gets_no_other_file_either(places, name, message):
    secret = places / "secret"
    if name == "zero":
        (secret / "zero").symlink_to("/dev/zero")
    images = ImageFiles(secret, [name])
    with pytest.raises(InputError) as raised:
        images.encoded(0)
    assert str(raised.value) == f"{secret / name} {message}"
    if name == "zero":
        for act in (lambda: images.sums, lambda: images.save(places / "copy")):
            with pytest.raises(InputError, match="zero is not a file: remove it"):
                act()


def test_a_saved_datasets_index_leads_nowhere_else(places):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from adc_core.images.shards import ImageShards

    folder = places / "shards"
    folder.mkdir()
    pq.write_table(
        pa.table(
            {
                "shard": ["../secret/id_rsa"],
                "offset": [0],
                "size": [10],
                "sha256": ["0" * 64],
            }
        ),
        folder / "index.parquet",
    )
    with pytest.raises(ValueError, match=r"'../secret/id_rsa', which is not a file beside it"):
        ImageShards.load(folder)
