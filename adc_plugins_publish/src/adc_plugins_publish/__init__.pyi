from .formats.hugging_face import export_hugging_face as export_hugging_face
from .formats.image_folder import export_image_folder as export_image_folder
from .formats.url_list import export_url_list as export_url_list
from .formats.webdataset import export_webdataset as export_webdataset
from .moves.list_moves import list_moves as list_moves
from .source import Source as Source
from .source import read_source as read_source
from .splits import split_by_group as split_by_group

__all__ = [
    "Source",
    "export_hugging_face",
    "export_image_folder",
    "export_url_list",
    "export_webdataset",
    "list_moves",
    "read_source",
    "split_by_group",
]
