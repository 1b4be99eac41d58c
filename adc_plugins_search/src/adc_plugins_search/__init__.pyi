from .collectors.downloader import Downloader as Downloader
from .designers.attributes import AttributeDesigner as AttributeDesigner
from .designers.attributes import design_of as design_of
from .designers.file import FileDesigner as FileDesigner
from .designers.file import read_design as read_design
from .designers.llm import LlmDesigner as LlmDesigner
from .designers.vocabulary import VocabularyDesigner as VocabularyDesigner
from .http_json import Answer as Answer
from .http_json import Hits as Hits
from .http_json import get_json as get_json
from .http_json import refusal as refusal
from .http_json import results_of as results_of
from .licenses import creative_commons as creative_commons
from .searchers.bing import BingSearcher as BingSearcher
from .searchers.brave import BraveSearcher as BraveSearcher
from .searchers.folder import FolderSearcher as FolderSearcher
from .searchers.google import GoogleSearcher as GoogleSearcher
from .searchers.manifest import ManifestSearcher as ManifestSearcher
from .searchers.openverse import OpenverseSearcher as OpenverseSearcher
from .searchers.searxng import SearxngSearcher as SearxngSearcher
from .searchers.wikimedia import WikimediaSearcher as WikimediaSearcher
from .terms.normalize import filter_terms as filter_terms
from .terms.normalize import group_terms as group_terms
from .terms.select_diverse import select_diverse as select_diverse
from .user_agent import user_agent as user_agent

__all__ = [
    "Answer",
    "AttributeDesigner",
    "BingSearcher",
    "BraveSearcher",
    "Downloader",
    "FileDesigner",
    "FolderSearcher",
    "GoogleSearcher",
    "Hits",
    "LlmDesigner",
    "ManifestSearcher",
    "OpenverseSearcher",
    "SearxngSearcher",
    "VocabularyDesigner",
    "WikimediaSearcher",
    "creative_commons",
    "design_of",
    "filter_terms",
    "get_json",
    "group_terms",
    "read_design",
    "refusal",
    "results_of",
    "select_diverse",
    "user_agent",
]
