"""A whole call in review."""

from dataclasses import dataclass

from services.intent.call import CallState, EmotionPoint, EscalationPoint
from services.intent.mentions import Mention


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole call in review.

    Attributes:
        call_id: The call's id.
        main_intent_id: The intent that the call was about; empty where nothing was asked for.
        intents: What is known of each intent, by id, in the order in which they first came up.
        course: The caller's emotion at every final segment.
        escalations: Where escalation was advised, and why.
        caller_share: The caller's share of speaking time or characters, in [0, 1].
        agent_share: The agent's share.
        open_intent_ids: Intents without a sign that they were settled.
        segments: Number of final segments.
        version: Version of the model that said so.
    """

    call_id: str
    main_intent_id: str
    intents: dict[str, Mention]
    course: tuple[EmotionPoint, ...]
    escalations: tuple[EscalationPoint, ...]
    caller_share: float
    agent_share: float
    open_intent_ids: tuple[str, ...]
    segments: int
    version: str


def summarise(call_id: str, state: CallState) -> Summary:
    """Reviews a call."""
    caller, agent = talk_shares(state)
    return Summary(
        call_id=call_id,
        main_intent_id=state.main.intent_id,
        intents=state.mentions.by_intent,
        course=tuple(state.course),
        escalations=tuple(state.escalations),
        caller_share=caller,
        agent_share=agent,
        open_intent_ids=tuple(state.mentions.open_ids()),
        segments=state.segments,
        version=state.version,
    )


def talk_shares(state: CallState) -> tuple[float, float]:
    """Shares of caller and agent: of speaking time if every segment carries times, of characters otherwise."""
    if state.untimed:
        caller, agent = state.caller.characters, state.agent.characters
    else:
        caller, agent = state.caller.ms, state.agent.ms
    total = caller + agent
    return (caller / total, agent / total) if total else (0.0, 0.0)
