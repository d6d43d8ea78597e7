import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.main_intent import MainIntent
from tests.services.intent.utterances import analysis, call

INTENTS = ("balance_inquiry", "card_loss_report", "human_agent", "chitchat", "out_of_scope")
UTTERANCES = st.lists(st.lists(st.sampled_from(INTENTS), min_size=1, max_size=2, unique=True), max_size=30)


def test_nothing_is_known_at_first() -> None:
    view = call().view()
    assert (view.main_intent_id, view.main_intent_probability) == ("", 0.0)
    assert call(analysis("chitchat")).main.intent_id == ""


def test_one_mention_is_as_sure_as_its_utterance() -> None:
    state = call(analysis("balance_inquiry", probability=0.8))
    assert state.main.intent_id == "balance_inquiry"
    assert state.main.probability == pytest.approx(0.8)


def test_a_real_request_outranks_asking_for_a_human_at_once() -> None:
    state = call(*[analysis("human_agent")] * 5, analysis("balance_inquiry"))
    assert state.main.intent_id == "balance_inquiry"


def test_a_guess_does_not_outrank_what_is_clear() -> None:
    guess = analysis("balance_inquiry", probability=0.4)
    assert call(analysis("out_of_scope"), guess).main.intent_id == "out_of_scope"
    assert call(analysis("out_of_scope"), guess, guess).main.intent_id == "balance_inquiry"


def test_a_side_question_does_not_take_over_but_a_new_matter_does() -> None:
    opening = [analysis("balance_inquiry")] * 2
    assert call(*opening, *[analysis("card_loss_report")] * 2).main.intent_id == "balance_inquiry"
    assert call(*opening, *[analysis("card_loss_report")] * 5).main.intent_id == "card_loss_report"


def test_what_is_said_weighs_more_than_what_is_understood() -> None:
    said = call(analysis("balance_inquiry")).main.evidence["balance_inquiry"]
    assert call(analysis("balance_inquiry", carried=True)).main.evidence["balance_inquiry"] == said / 2


@given(UTTERANCES)
def test_secondary_intents_never_outrank_business(utterances: list[list[str]]) -> None:
    state = call(*(analysis(*intents) for intents in utterances))
    business = {intent for intents in utterances for intent in intents} - {"human_agent", "chitchat", "out_of_scope"}
    assert 0 <= state.main.probability <= 1
    assert state.main.intent_id != "chitchat"
    if business:
        assert state.main.intent_id in business


@given(st.lists(st.sampled_from(["balance_inquiry", "card_loss_report"]), min_size=2, max_size=40))
def test_it_does_not_flap(utterances: list[str]) -> None:
    main = MainIntent()
    changes = 0
    for utterance in utterances:
        before = main.intent_id
        main.apply(analysis(utterance))
        changes += before not in ("", main.intent_id)
    # From a lead of 1.5 for one to a lead of 1.5 for the other takes four mentions of it at 0.9.
    assert changes <= len(utterances) / 3
