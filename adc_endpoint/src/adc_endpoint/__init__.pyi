from .base_url import BaseUrl as BaseUrl
from .base_url import check_encrypted as check_encrypted
from .base_url import check_may_have as check_may_have
from .base_url import is_loopback as is_loopback
from .base_url import is_near as is_near
from .bounded_response import TooLongError as TooLongError
from .bounded_response import read_bounded as read_bounded
from .chat import Completion as Completion
from .chat import Message as Message
from .chat import SharedPause as SharedPause
from .chat import UnsupportedRequestError as UnsupportedRequestError
from .chat import complete as complete
from .cost import Budget as Budget
from .cost import Prices as Prices
from .cost import SpentError as SpentError
from .endpoint import Endpoint as Endpoint
from .endpoint import endpoint_of as endpoint_of
from .endpoint import model_name as model_name
from .image_chat import ImageChat as ImageChat
from .image_chat import SentImage as SentImage
from .keys import keep_secret as keep_secret
from .keys import one_line as one_line
from .keys import optional_secret as optional_secret
from .keys import redact as redact
from .keys import secret as secret
from .retry_after import retry_after_seconds as retry_after_seconds
from .structured_answers import StructuredAnswer as StructuredAnswer
from .structured_answers import json_values as json_values
from .structured_answers import read_answer as read_answer
from .structured_answers import without_thinking as without_thinking
from .structured_chat import ChatModel as ChatModel
from .structured_chat import Reply as Reply
from .structured_chat import UnparsableAnswerError as UnparsableAnswerError
from .structured_chat import prompt_with_schema as prompt_with_schema
from .transcript import Question as Question
from .transcript import ShownImage as ShownImage
from .transcript import TokenUsage as TokenUsage
from .transcript import Transcript as Transcript
from .transcript import Turn as Turn

__all__ = [
    "BaseUrl",
    "Budget",
    "ChatModel",
    "Completion",
    "Endpoint",
    "ImageChat",
    "Message",
    "Prices",
    "Question",
    "Reply",
    "SentImage",
    "SharedPause",
    "ShownImage",
    "SpentError",
    "StructuredAnswer",
    "TokenUsage",
    "TooLongError",
    "Transcript",
    "Turn",
    "UnparsableAnswerError",
    "UnsupportedRequestError",
    "check_encrypted",
    "check_may_have",
    "complete",
    "endpoint_of",
    "is_loopback",
    "is_near",
    "json_values",
    "keep_secret",
    "model_name",
    "one_line",
    "optional_secret",
    "prompt_with_schema",
    "read_answer",
    "read_bounded",
    "redact",
    "retry_after_seconds",
    "secret",
    "without_thinking",
]
