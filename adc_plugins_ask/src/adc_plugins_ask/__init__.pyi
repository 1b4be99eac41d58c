from .answers.choice import letter_probabilities as letter_probabilities
from .answers.choice import read_choice as read_choice
from .answers.refusal import refuses as refuses
from .answers.yes_no import read_answers as read_answers
from .detectors.visual_questions import VisualQuestions as VisualQuestions
from .enrichers.annotators import Annotators as Annotators
from .questions.scores import answer_scores as answer_scores
from .questions.scores import question_values as question_values

__all__ = [
    "Annotators",
    "VisualQuestions",
    "answer_scores",
    "letter_probabilities",
    "question_values",
    "read_answers",
    "read_choice",
    "refuses",
]
