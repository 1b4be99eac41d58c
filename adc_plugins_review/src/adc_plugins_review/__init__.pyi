from .aggregation.agreement import Agreement, krippendorff_alpha, krippendorff_interval
from .aggregation.crowdlab import CrowdlabResult, crowdlab
from .aggregation.dawid_skene import DawidSkeneResult, dawid_skene
from .aggregation.mace import MaceResult, mace
from .aggregation.majority import Majority, majority, vote_shares
from .aggregation.one_coin import OneCoinResult, one_coin
from .aggregation.presence import presence
from .aggregation.realism import Confusions, Realism, off_diagonal_test, realism
from .aggregation.top_two import TopTwoResult, top_two
from .aggregation.verdicts import verdicts, verification
from .certificate.alpha import Alpha
from .certificate.any_time import any_time_upper
from .certificate.bounds import exact_upper, miss_rate_upper, undo_misses
from .certificate.certificate import Bound, ClassBound, Gold, certify, certify_any_time
from .certificate.planning import (
    Repairs,
    audit_weights,
    believed_rate,
    choose_repairs,
    expected_errors,
    items_of_budget,
    sampling_weights,
    weighted_order,
    weights_digest,
)
from .choosing.ask_next import ask_next, draw_by_chance
from .choosing.choose_exemplars import Exemplars, choose_exemplars
from .choosing.most_diverse import most_diverse
from .curators.label_quality_model import LabelQualityModel
from .curators.votes import ApplyVotes
from .detectors.crowdlab import Crowdlab
from .detectors.dawid_skene import DawidSkene
from .detectors.mace import Mace
from .detectors.majority_votes import MajorityVotes
from .detectors.one_coin import OneCoin
from .detectors.top_two import TopTwo
from .enrichers.labeling_functions import LabelingFunctions, class_in_title, votes_by_functions
from .enrichers.votes import AddVotes
from .metrics.raters import Raters
from .simulated_raters.choosing import Choice, choose_raters
from .simulators.rater_pool import RaterPool
from .votes.evidence import gold_of, selected_rows, votes_of, without_gold
from .votes.votes_table import VOTES, latest_votes, read_votes, votes_table, write_votes

__all__ = [
    "VOTES",
    "AddVotes",
    "Agreement",
    "Alpha",
    "ApplyVotes",
    "Bound",
    "Choice",
    "ClassBound",
    "Confusions",
    "Crowdlab",
    "CrowdlabResult",
    "DawidSkene",
    "DawidSkeneResult",
    "Exemplars",
    "Gold",
    "LabelQualityModel",
    "LabelingFunctions",
    "Mace",
    "MaceResult",
    "Majority",
    "MajorityVotes",
    "OneCoin",
    "OneCoinResult",
    "RaterPool",
    "Raters",
    "Realism",
    "Repairs",
    "TopTwo",
    "TopTwoResult",
    "any_time_upper",
    "ask_next",
    "audit_weights",
    "believed_rate",
    "certify",
    "certify_any_time",
    "choose_exemplars",
    "choose_raters",
    "choose_repairs",
    "class_in_title",
    "crowdlab",
    "dawid_skene",
    "draw_by_chance",
    "exact_upper",
    "expected_errors",
    "gold_of",
    "items_of_budget",
    "krippendorff_alpha",
    "krippendorff_interval",
    "latest_votes",
    "mace",
    "majority",
    "miss_rate_upper",
    "most_diverse",
    "off_diagonal_test",
    "one_coin",
    "presence",
    "read_votes",
    "realism",
    "sampling_weights",
    "selected_rows",
    "top_two",
    "undo_misses",
    "verdicts",
    "verification",
    "vote_shares",
    "votes_by_functions",
    "votes_of",
    "votes_table",
    "weighted_order",
    "weights_digest",
    "without_gold",
    "write_votes",
]
